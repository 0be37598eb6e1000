//! Bytes by their name: put, get, destroy; in a folder or in S3. It never knows whose they are.
