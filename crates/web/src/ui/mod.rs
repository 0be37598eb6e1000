//! The web pages: plain view structs in, HTML text and asset bytes out.
//! It never speaks HTTP, asks a service or decides who may see something: the handlers do, and hand over views.

pub(crate) mod account;
pub mod actions;
pub(crate) mod admin;
pub(crate) mod app;
pub mod assets;
pub mod beside;
pub(crate) mod carry;
pub(crate) mod chart;
pub(crate) mod desk;
pub mod device;
pub(crate) mod documents;
pub mod errors;
mod example;
pub(crate) mod files;
pub mod form;
pub mod fragments;
pub mod frame;
mod icons;
pub mod markdown;
mod openapi;
pub(crate) mod operation;
pub mod order;
pub mod pages;
pub(crate) mod paper;
pub mod pieces;
pub(crate) mod places;
pub mod reference;
pub(crate) mod review;
pub mod sample;
#[cfg(test)]
mod samples;
pub(crate) mod shell;
pub(crate) mod sign;
pub(crate) mod tutor;
pub mod view;

use std::fmt;

use kernel::{Code, Fault};

pub use assets::asset_url;
pub use icons::icon;
pub use view::{
    AppView, Beside, ChatPage, CitationView, ClosestView, ConversationView, DeskLine, Ending, ErrorPage,
    Frame, FrontPage, HealthView, LessonView, LimitsView, MessageView, ModelView, OpinionView, PersonView,
    Speaker, ToolView, Viewer,
};

/// A piece of HTML that templates print as it is. Only this room makes one, from text that is already safe.
#[derive(Clone, Debug)]
pub struct Markup(String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Markup {}

/// Fills a template. A template fails only when one of its values cannot be formatted, which is a defect.
fn fill(template: &impl askama::Template) -> Result<String, Fault> {
    template.render().map_err(|error| Fault::new(Code::Internal).because(error))
}

/// A page that is its own template, as HTML.
pub(crate) fn html(page: &impl askama::Template) -> Result<String, Fault> {
    fill(page)
}

/// A picture that another room has drawn, as one SVG element.
pub(crate) fn picture(svg: &str) -> Markup {
    if svg.starts_with("<svg ") { Markup(svg.to_owned()) } else { Markup(String::new()) }
}

/// A filled template as a piece of another page.
pub(crate) fn ready(part: &impl askama::Template) -> Result<Markup, Fault> {
    fill(part).map(Markup)
}
