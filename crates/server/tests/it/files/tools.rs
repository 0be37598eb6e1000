//! Forms, people who keep files, and a look at the disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::world::{Answer, Caller, Request, World, eventually};

/// The beginning of a picture.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

/// Somebody who may enter the file store.
pub async fn keeper(world: &World, email: &str) -> Caller {
    let person = world.person(email, false).await;
    let granted = world.stoa(&["grant", "add", email, "files"]).await;
    assert!(granted.success(), "{granted:?}");
    let may = async || person.caller.get("/api/v1/files").send().await.status == 200;
    eventually(Duration::from_secs(3), "the grant is known", may).await;
    person.caller
}

/// Two of them.
pub async fn keepers(world: &World) -> [Caller; 2] {
    [keeper(world, "ann@example.org").await, keeper(world, "bob@example.org").await]
}

/// A form being filled in.
pub struct Form {
    boundary: &'static str,
    body: Vec<u8>,
}

impl Form {
    pub fn new() -> Form {
        Form::with("boundary-7d83")
    }

    pub fn with(boundary: &'static str) -> Form {
        Form { boundary, body: Vec::new() }
    }

    fn part(mut self, disposition: &str, content: &[u8]) -> Form {
        let head = format!("--{}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n", self.boundary);
        self.body.extend([head.as_bytes(), content, b"\r\n"].concat());
        self
    }

    pub fn field(self, name: &str, value: &str) -> Form {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    pub fn file(self, name: &str, content: &[u8]) -> Form {
        let escaped = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        self.part(&format!("name=\"file\"; filename=\"{escaped}\""), content)
    }

    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    pub fn body(&self) -> Vec<u8> {
        [&self.body, format!("--{}--\r\n", self.boundary).as_bytes()].concat()
    }

    pub fn request(&self, caller: &Caller) -> Request {
        caller.post("/api/v1/files").header("content-type", &self.content_type()).body(self.body())
    }

    pub async fn send(&self, caller: &Caller) -> Answer {
        self.request(caller).send().await
    }
}

/// Stores a file; its id.
pub async fn upload(caller: &Caller, name: &str, content: &[u8]) -> String {
    let made = Form::new().file(name, content).send(caller).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Whatever lies in the folder of files: contents, and what is being written.
pub fn disk(world: &World) -> Vec<PathBuf> {
    let mut found = Vec::new();
    gather(&world.data().join("files"), &mut found);
    found.retain(|path| path.file_name().is_some_and(|name| name != "lock"));
    found
}

/// Every file below a folder. What vanishes meanwhile is none.
pub fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { gather(&path, found) } else { found.push(path) }
    }
}
