//! The line icons of the pages, drawn on a grid of 24. They are printed into the page, so none arrives late,
//! and take the colour of the text around them. They mean nothing to a screen reader: the words beside them do.

use super::Markup;

/// The icon of this name as inline SVG; an unknown name draws nothing.
pub fn icon(name: &str) -> Markup {
    let drawing = match name {
        "plus" => r#"<path d="M12 5v14M5 12h14"/>"#,
        "menu" => r#"<path d="M4 7h16M4 12h16M4 17h10"/>"#,
        "close" => r#"<path d="m6 6 12 12M18 6 6 18"/>"#,
        "send" => r#"<path d="M12 19V5M6 11l6-6 6 6"/>"#,
        "stop" => r#"<rect x="6.5" y="6.5" width="11" height="11" rx="2" fill="currentColor"/>"#,
        "dots" => r#"<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="2.6"/>"#,
        "edit" => r#"<path d="M4 20h4L19 9l-4-4L4 16zM13 7l4 4"/>"#,
        "trash" => r#"<path d="M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5"/>"#,
        "download" => r#"<path d="M12 4v11M7 11l5 5 5-5M5 20h14"/>"#,
        "copy" => r#"<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15H4V4h11v1"/>"#,
        "check" => r#"<path d="m5 13 4 4L19 7"/>"#,
        "down" => r#"<path d="M12 5v14M6 13l6 6 6-6"/>"#,
        "chevron" => r#"<path d="m7 10 5 5 5-5"/>"#,
        "alert" => r#"<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.5M12 16.3v.01"/>"#,
        "sun" => {
            r#"<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4"/>"#
        }
        "moon" => r#"<path d="M20 14.5A8.2 8.2 0 0 1 9.5 4 8.2 8.2 0 1 0 20 14.5z"/>"#,
        "auto" => {
            r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor" stroke="none"/>"#
        }
        "book" => {
            r#"<path d="M12 6.5C10 5 7 4.5 4 4.7v13c3-.2 6 .3 8 1.8 2-1.5 5-2 8-1.8v-13c-3-.2-6 .3-8 1.8zM12 6.5v13"/>"#
        }
        "code" => r#"<path d="m8 7-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14"/>"#,
        "plug" => r#"<path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4"/>"#,
        "pulse" => r#"<path d="M3 12h4l3-7 4 14 3-7h4"/>"#,
        "quote" => {
            r#"<path d="M10 7H5v6h5V7zM10 13c0 2.5-1.5 4-4 4.500M19 7h-5v6h5V7zM19 13c0 2.5-1.5 4-4 4.5"/>"#
        }
        "retry" => r#"<path d="M19.5 12A7.5 7.5 0 1 1 17 6.400L19.5 9M19.5 4v5h-5"/>"#,
        "chat" => {
            r#"<path d="M20 11.500c0 4-3.6 7-8 7-1.1 0-2.2-.2-3.2-.5L4 20l1.4-4A6.6 6.6 0 0 1 4 11.500c0-4 3.6-7 8-7s8 3 8 7z"/>"#
        }
        "support" => {
            r#"<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="3.6"/><path d="m5.7 5.7 3.7 3.700M14.6 14.600l3.7 3.700M18.3 5.700l-3.7 3.700M9.4 14.600l-3.7 3.7"/>"#
        }
        "tutor" => {
            r#"<path d="m2.5 9.5 9.5-4.5 9.5 4.5-9.5 4.500zM6.5 11.500V16c1.5 1.5 3.3 2.2 5.5 2.200s4-.7 5.5-2.200v-4.500M21.5 9.500V15"/>"#
        }
        "files" => r#"<path d="M3.5 18.500v-13h6l2 2.500h9v10.500z"/>"#,
        _ => return Markup(String::new()),
    };
    Markup(format!(
        r#"<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{drawing}</svg>"#
    ))
}
