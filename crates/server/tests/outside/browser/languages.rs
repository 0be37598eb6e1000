//! The menu of languages, and pages that begin at the right.

use serde_json::json;

use super::accounts::claim;
use super::looks::ILLEGIBLE;
use super::scene::walk;

#[tokio::test]
async fn a_person_changes_the_language_by_the_menu() {
    walk("languages", &[], async |scene| {
        let person = &scene.person;
        claim(scene).await;
        for (language, direction, heading) in
            [("de", "ltr", "Sicherheit"), ("ar", "rtl", "الأمان"), ("en", "ltr", "Security")]
        {
            person.open("/account/security").await;
            person.click(".language-menu > summary").await;
            person.click(&format!(".language-menu button[value={language}]")).await;
            person.until(&format!("document.documentElement.lang === '{language}'")).await;
            assert_eq!(person.path().await, "/account/security");
            assert_eq!(person.value("document.documentElement.dir").await, json!(direction));
            assert_eq!(person.text("h1").await, heading);
            for path in
                ["/account/security", "/admin", "/admin/users", "/admin/settings", "/sign-in", "/", "/docs"]
            {
                for phone in [false, true] {
                    if phone {
                        person.phone().await
                    } else {
                        person.desk().await
                    }
                    person.open(path).await;
                    let name = format!("{language}{}-{phone}", path.replace('/', "-"));
                    person.look(&name).await;
                    let wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                    assert_eq!(person.value(wide).await, json!(0), "{name} is too wide");
                    assert_eq!(person.value(ILLEGIBLE).await, json!([]), "{name}");
                    person.nothing_amiss().await;
                }
            }
            person.desk().await;
        }
        // What scripts say is in the language of the page too.
        person.open("/account/security").await;
        person.click(".language-menu > summary").await;
        person.click(".language-menu button[value=fr]").await;
        person.until("document.documentElement.lang === 'fr'").await;
        person.click(".unfold > summary").await;
        person.fill("#f-new_password", "short").await;
        person
            .until(
                "document.querySelector('[data-meter-text]').textContent === '5 sur au moins 15 caractères.'",
            )
            .await;
    })
    .await;
}
