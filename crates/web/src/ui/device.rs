//! A guess from the `User-Agent` of a session, so that a person knows their devices again. It is a hint for people;
//! nothing is decided by it.

use crate::texts::say;

/// "Firefox on Linux", or a piece of what the program said about itself.
pub fn device(agent: &str) -> String {
    let has = |word: &str| agent.contains(word);
    let system = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]
    .into_iter()
    .find_map(|(mark, name)| has(mark).then_some(name));
    // Browsers claim to be each other: the most particular mark comes first.
    let browser = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Vivaldi", "Vivaldi"),
        ("Firefox/", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("HeadlessChrome", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
        ("python", "Python"),
        ("node", "Node.js"),
    ]
    .into_iter()
    .find_map(|(mark, name)| has(mark).then_some(name));
    match (browser, system) {
        (Some(browser), Some(system)) => {
            say("{browser} on {system}").with("browser", browser).with("system", system).to_string()
        }
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => say("A program on {system}").with("system", system).to_string(),
        (None, None) if agent.trim().is_empty() => say("An unnamed program").to_string(),
        (None, None) => agent.trim().chars().take(40).collect(),
    }
}

/// The icon for the device: a phone or a desk.
pub fn device_icon(agent: &str) -> &'static str {
    if ["iPhone", "Android", "Mobile"].iter().any(|mark| agent.contains(mark)) { "phone" } else { "desk" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ones_are_known() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.9.1", "curl"),
            ("", "An unnamed program"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ] {
            assert_eq!(device(agent), name);
        }
        assert_eq!(device(&"é".repeat(100)).chars().count(), 40);
        assert_eq!(device_icon("… Android 16; Mobile …"), "phone");
    }
}
