//! The line icons of the pages, drawn on a grid of 24. They are printed into the page, so none arrives late,
//! and take the colour of the text around them. They mean nothing to a screen reader: the words beside them do.

use super::Markup;

/// The icon of this name as inline SVG; an unknown name draws nothing.
pub fn icon(name: &str) -> Markup {
    let drawing = match name {
        "disk" => {
            r#"<ellipse cx="12" cy="6" rx="7.5" ry="2.8"/><path d="M4.5 6v12c0 1.5 3.400 2.800 7.500 2.800s7.500-1.300 7.500-2.800V6M4.500 12c0 1.500 3.400 2.800 7.500 2.800s7.500-1.300 7.500-2.800"/>"#
        }
        "pin" => r#"<path d="M9 4h6l-.8 5.500 3.300 3.500H6.500l3.300-3.500zM12 13v7"/>"#,
        "folder" => r#"<path d="M3.500 18.500v-13h6l2 2.500h9v10.500z"/>"#,
        "tag" => r#"<path d="M4 4h8l8 8-8 8-8-8zM8.500 8.500h.01" stroke-width="1.800"/>"#,
        "archive" => r#"<path d="M4 4.500h16v4H4zM5.500 8.500V19.500h13V8.500M10 12.500h4"/>"#,
        "select" => r#"<rect x="4" y="4" width="16" height="16" rx="3"/><path d="m8 12 3 3 5-6"/>"#,
        "clock" => r#"<circle cx="12" cy="12" r="8.500"/><path d="M12 7v5l3.500 2"/>"#,
        "globe" => {
            r#"<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c3.200 3 3.200 14 0 17M12 3.500c-3.200 3-3.200 14 0 17"/>"#
        }
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
        "version-before" => r#"<path d="m14 7-5 5 5 5"/>"#,
        "version-after" => r#"<path d="m10 7 5 5-5 5"/>"#,
        "again" => r#"<path d="M19 12a7 7 0 1 1-2.1-5M19 4v4h-4"/>"#,
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
        "user" => {
            r#"<circle cx="12" cy="8" r="3.8"/><path d="M4.500 20c.8-3.8 3.800-5.500 7.500-5.500s6.700 1.700 7.500 5.5"/>"#
        }
        "users" => {
            r#"<circle cx="9" cy="8.500" r="3.500"/><path d="M2.500 19.500c.6-3.400 3.200-5 6.500-5s5.900 1.600 6.500 5M15.500 5.300a3.500 3.500 0 0 1 0 6.400M18 15c1.900.700 3.100 2.200 3.500 4.5"/>"#
        }
        "key" => {
            r#"<circle cx="8" cy="15.500" r="4"/><path d="m11 12.500 8.500-8.500M16 7.500l3 3M13.500 10l2 2"/>"#
        }
        "shield" => {
            r#"<path d="M12 3.500 5 6v5.500c0 4.300 2.800 7.400 7 9 4.200-1.600 7-4.700 7-9V6zM9 12l2.200 2.200L15.200 10"/>"#
        }
        "sessions" => {
            r#"<rect x="3" y="4.500" width="18" height="12" rx="2"/><path d="M9 20h6M12 16.500V20"/>"#
        }
        "desk" => r#"<rect x="3" y="4.500" width="18" height="12" rx="2"/><path d="M9 20h6M12 16.500V20"/>"#,
        "phone" => r#"<rect x="7" y="3" width="10" height="18" rx="2.500"/><path d="M11 18h2"/>"#,
        "list" => {
            r#"<path d="M8.500 6.500H20M8.500 12H20M8.500 17.500H20M4 6.500h.01M4 12h.01M4 17.500h.01" stroke-width="2"/>"#
        }
        "bell" => r#"<path d="M6 16.500V11a6 6 0 0 1 12 0v5.500l1.500 1.500h-15zM10 20.500h4"/>"#,
        "ban" => r#"<circle cx="12" cy="12" r="8.500"/><path d="m6 6 12 12"/>"#,
        "lock" => {
            r#"<rect x="5" y="10.500" width="14" height="9.500" rx="2"/><path d="M8 10.500V8a4 4 0 0 1 8 0v2.500"/>"#
        }
        "sliders" => {
            r#"<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>"#
        }
        "out" => r#"<path d="M10 4.500H5v15h5M14 8l4 4-4 4M18 12H9.500"/>"#,
        "mail" => r#"<rect x="3.500" y="5.500" width="17" height="13" rx="2"/><path d="m4 7 8 6 8-6"/>"#,
        "link" => {
            r#"<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700l-1.700 1.700M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.700 5.700l1.700-1.700"/>"#
        }
        "clip" => {
            r#"<path d="m19.500 11.500-7.800 7.800a4.600 4.600 0 0 1-6.500-6.500l8.300-8.300a3.100 3.100 0 0 1 4.400 4.400l-8.200 8.200a1.500 1.500 0 0 1-2.200-2.200l7.200-7.200"/>"#
        }
        "image" => {
            r#"<rect x="3.500" y="4.500" width="17" height="15" rx="2"/><circle cx="9" cy="10" r="1.700"/><path d="m4 17 5-4.500 3.500 3 3-2.500 5 4"/>"#
        }
        "print" => r#"<path d="M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z"/>"#,
        "passkey" => {
            r#"<circle cx="9" cy="8" r="3.800"/><path d="M2.500 20c.7-3.700 3.200-5.500 6.500-5.500 1.200 0 2.300.2 3.200.7"/><circle cx="17.500" cy="12.500" r="2.500"/><path d="M17.500 15v5.500M17.500 18h2"/>"#
        }
        "back" => r#"<path d="M19 12H5M11 6l-6 6 6 6"/>"#,
        "upload" => r#"<path d="M12 20V9M7 13.500l5-5 5 5M5 4.500h14"/>"#,
        "file" => r#"<path d="M6 3.500h8l4.500 4.500v12.500H6zM14 3.500V8h4.500"/>"#,
        "inbox" => {
            r#"<path d="M4 13.500 6.500 5h11l2.500 8.500V19H4zM4 13.500h4.500l1 2.500h5l1-2.500H20"/>"#
        }
        "restore" => r#"<path d="M4.500 12A7.500 7.500 0 1 0 7 6.400L4.500 9M4.500 4v5h5M12 8v4.500l3 2"/>"#,
        "thumb-up" => {
            r#"<path d="M7.500 10.500 11.500 3.500c1.500.300 2.300 1.300 2 3l-.6 3H18.500a2 2 0 0 1 2 2.400l-1.300 6.200a2.400 2.400 0 0 1-2.300 1.900H7.500zM3.500 10.500h4V20h-4z"/>"#
        }
        "thumb-down" => {
            r#"<path d="M7.500 13.500 11.500 20.500c1.500-.300 2.300-1.300 2-3l-.6-3H18.500a2 2 0 0 0 2-2.400l-1.300-6.200a2.400 2.400 0 0 0-2.300-1.900H7.500zM3.500 4h4v9.500h-4z"/>"#
        }
        "question" => {
            r#"<circle cx="12" cy="12" r="9"/><path d="M9.500 9.500a2.500 2.500 0 1 1 3.600 2.300c-.7.400-1.100.900-1.100 1.700M12 16.700v.01"/>"#
        }
        "chart" => r#"<path d="M4 4v16h16M8 16v-4M12.500 16V8M17 16v-6"/>"#,
        "keyboard" => {
            r#"<rect x="3" y="6" width="18" height="12" rx="2"/><path d="M7 10h.01M10.400 10h.01M13.700 10h.01M17 10h.01M7 14h.01M17 14h.01M10 14h4"/>"#
        }
        "contrast" => {
            r#"<circle cx="12" cy="12" r="8.500" stroke-width="2.400"/><path d="M8.500 16 12 7.500l3.500 8.500M9.700 13.400h4.600"/>"#
        }
        "wrap" => {
            r#"<path d="M4 6.500h16M4 12h12.500a3 3 0 0 1 0 6H12M14 15.500 11.500 18l2.500 2.500M4 18h4"/>"#
        }
        "search" => r#"<circle cx="10.500" cy="10.500" r="6"/><path d="m15 15 5 5"/>"#,
        _ => return Markup(String::new()),
    };
    Markup(format!(
        r#"<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{drawing}</svg>"#
    ))
}
