//! What in a tree of files can go, and why: an analysis over an abstract tree. It never changes anything and never
//! touches the database.
