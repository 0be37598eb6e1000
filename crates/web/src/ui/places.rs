//! The pages that somebody may open, as one list for the command palette. It owns the order and the names; whether
//! somebody may, the frame and the permissions have decided before.

use askama::Template;
use kernel::Result;

use super::fill;
use super::frame::{Frame, Viewer};
use super::shell::{ACCOUNT, ADMIN};

/// Pages that belong together.
struct Group {
    name: &'static str,
    places: Vec<Place>,
}

struct Place {
    href: String,
    icon: &'static str,
    name: String,
    /// What it belongs to; may be empty.
    of: String,
}

#[derive(Template)]
#[template(path = "places.html")]
struct PlacesTemplate {
    groups: Vec<Group>,
}

/// The pages that whoever looks at this frame may open, as HTML.
pub(crate) fn list(frame: &Frame) -> Result<String> {
    fill(&PlacesTemplate { groups: groups(frame) })
}

fn groups(frame: &Frame) -> Vec<Group> {
    let place = |href: &str, icon, name: &str| Place {
        href: href.to_owned(),
        icon,
        name: name.to_owned(),
        of: String::new(),
    };
    let mut apps = Vec::new();
    for app in &frame.apps {
        apps.push(place(&app.url(), app.kind.as_str(), &app.name));
        for tool in &app.tools {
            apps.push(Place { of: app.name.clone(), ..place(&tool.href, tool.icon, tool.name) });
        }
    }
    let mut pages = vec![
        place("/", "book", "Start page"),
        place("/docs", "code", "API reference"),
        place("/docs/errors", "alert", "Error codes"),
    ];
    let mut groups = Vec::new();
    let shelf = |name, tabs: &'static [super::shell::Tab]| Group {
        name,
        places: tabs
            .iter()
            .map(|tab| Place { of: name.to_owned(), ..place(tab.path, tab.icon, tab.name) })
            .collect(),
    };
    match &frame.viewer {
        Viewer::Person(person) => {
            groups.push(shelf("Account", &ACCOUNT));
            if person.admin {
                groups.push(shelf("Administration", &ADMIN));
            }
        }
        Viewer::Visitor(back) => pages.push(place(&Viewer::sign_in_url(back), "user", "Sign in")),
        Viewer::Unknown => {}
    }
    groups.insert(0, Group { name: "Apps", places: apps });
    groups.insert(1, Group { name: "Pages", places: pages });
    groups.retain(|group| !group.places.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::super::frame::PersonView;
    use super::*;

    #[test]
    fn everybody_is_offered_what_they_may_open() {
        let of = |viewer| list(&Frame { apps: Vec::new(), viewer }).unwrap();
        let person = |admin| Viewer::Person(PersonView { name: String::new(), email: String::new(), admin });
        let (visitor, member, admin) =
            (of(Viewer::Visitor("/docs".to_owned())), of(person(false)), of(person(true)));
        assert!(visitor.contains("/sign-in?return_to=/docs") && !visitor.contains("/account"), "{visitor}");
        assert!(member.contains("/account/keys") && !member.contains("/admin"), "{member}");
        assert!(admin.contains("/admin/audit") && !admin.contains("/sign-in"), "{admin}");
    }
}
