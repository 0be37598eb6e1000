//! What can be done on the pages without a mouse: each action with its name, its key, and the button that it presses.
//! This one table makes the sheet of shortcuts, the command palette, the tooltips and the keys themselves. It owns no
//! behaviour: an action is offered where its button can be seen, and pressing the key presses the button.

/// Something that one can do.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its name for scripts.
    pub id: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Its key: a character, or `Mod+K`, where `Mod` is Ctrl or ⌘. Empty where the palette alone has it.
    pub keys: &'static str,
    /// The button that it presses, or the field that it goes to, as a CSS selector; the last one that can be seen.
    /// Empty where a script does it.
    pub at: &'static str,
}

/// Actions that belong together.
#[derive(Debug)]
pub struct Group {
    /// What they are about.
    pub name: &'static str,
    /// In the order in which they are listed.
    pub actions: &'static [Action],
}

const fn action(id: &'static str, name: &'static str, keys: &'static str, at: &'static str) -> Action {
    Action { id, name, keys, at }
}

const EVERYWHERE: &[Action] = &[
    action("palette", "Search and commands", "Mod+K", "[data-open-palette]"),
    action("shortcuts", "Keyboard shortcuts", "?", "[data-open-shortcuts]"),
    action("region", "Next part of the page", "F6", ""),
    action("colours", "Change the colours", "t", "[data-theme-switch]"),
    action("filter", "Filter this page", "/", "main input[type=search], .contents input[type=search]"),
    action("out", "Sign out", "", "form[action='/sign-out'] button"),
];

const CONVERSATIONS: &[Action] = &[
    action("new", "New conversation", "n", ".side .new"),
    action("list", "Open the list of conversations", "l", "[data-open-side]"),
    action("menu", "Menu of this conversation", "m", "[data-open-conversation]"),
    action("older", "Show older conversations", "", "[data-more-conversations]"),
    action("person", "Ask for a person", "", "[data-ask-person] button"),
];

const MESSAGES: &[Action] = &[
    action("write", "Write a message", "/", "#message"),
    action("stop", "Stop the answer", "Esc", "[data-stop]"),
    action("next", "Next message", "j", ""),
    action("previous", "Previous message", "k", ""),
    action("end", "Go to the newest message", "b", "[data-to-end]"),
    action("copy", "Copy the newest answer", "c", ".message [data-copy-message]"),
    action("again", "Ask for another answer", "r", ".message [data-answer-again]"),
    action("edit", "Change your last message", "e", ".message [data-edit-message]"),
    action("earlier", "Show every message (to find something in the page)", "", "[data-every-message]"),
];

/// Every action.
pub const GROUPS: [Group; 3] = [
    Group { name: "Everywhere", actions: EVERYWHERE },
    Group { name: "Conversations", actions: CONVERSATIONS },
    Group { name: "Messages", actions: MESSAGES },
];

impl Action {
    /// The keys to be held and pressed, in order; a script knows on whose machines `Ctrl` is called otherwise.
    pub fn parts(&self) -> Vec<&'static str> {
        let parts = self.keys.split('+').filter(|part| !part.is_empty());
        parts.map(|part| if part == "Mod" { "Ctrl" } else { part }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_single_and_keys_mean_one_thing_where_they_mean_anything() {
        let all: Vec<Action> = GROUPS.iter().flat_map(|group| group.actions).copied().collect();
        let ids: HashSet<&str> = all.iter().map(|action| action.id).collect();
        assert_eq!(ids.len(), all.len());
        let mut keys: Vec<&str> =
            all.iter().map(|action| action.keys).filter(|keys| !keys.is_empty()).collect();
        // The slash goes to what one types into: the message in a conversation, the filter elsewhere.
        assert_eq!(keys.iter().filter(|key| **key == "/").count(), 2);
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all.iter().filter(|action| !action.keys.is_empty()).count() - 1);
        for action in all {
            assert!(!action.name.is_empty());
            assert!(!action.at.contains('"'), "{} stands in an attribute", action.id);
        }
    }
}
