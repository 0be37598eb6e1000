//! The words of the rules: parts of orders, whole phrases, marks. Lists are separated by commas, in the form of
//! `content::normal`.

use super::Reason;

/// A word list of the orders below.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Ignore,
    Earlier,
    Rules,
    Reveal,
    Prompt,
    Become,
    Unbound,
    Send,
    Talk,
    Address,
}

/// The words of each part.
pub(super) const PARTS: &[(Part, &str)] = &[
    (
        Part::Ignore,
        "ignore, disregard, forget, override, bypass, discard, neglect, skip, do not follow, dont follow, \
         stop following, pay no attention to, do not obey, dont obey, do not listen to, cancel, erase, \
         delete, drop, nullify, overrule, throw away",
    ),
    (
        Part::Earlier,
        "previous, previously, prior, above, preceding, earlier, all, any, your, the, these, those, before, \
         foregoing, initial, original, existing, everything, every, my, past, other, former, \
         aforementioned, system",
    ),
    (
        Part::Rules,
        "instructions, instruction, directions, directives, prompts, system prompt, guidelines, commands, \
         programming, everything above, everything before, everything i said, orders, above text, said \
         before, told before, were told, you saw, safety rules, previous rules, prior rules, your rules, \
         all rules, the rules above, previous context, prior context, prior text, previous text, previous \
         prompt, initial prompt, above prompt, your training, content policy, content policies, your \
         restrictions, all restrictions, your constraints, your filters, safety guidelines, ethical \
         guidelines, security protocol, security protocols, access code check",
    ),
    (
        Part::Reveal,
        "reveal, show me, show, print, repeat, output, display, tell me, give me, leak, expose, disclose, \
         what is, what are, what was, what were, whats, write down, summarize, summarise, translate, \
         encode, recite, copy, share, say, write, spell, list, dump, type",
    ),
    (
        Part::Prompt,
        "your system prompt, the system prompt, this system prompt, your system message, the system \
         message, initial prompt, hidden prompt, secret prompt, your prompt, your instructions, your \
         initial instructions, your original instructions, your hidden instructions, your system \
         instructions, your secret instructions, previous instructions, initial instructions, original \
         instructions, instructions above, text above, words above, everything above, above verbatim, \
         preprompt, pre prompt, your rules verbatim, access code, security code, your password, secret \
         password, developer message, your guidelines, your configuration, hidden instructions, secret \
         instructions, prior instructions, above instructions, pass phrase, passphrase, secret phrase, \
         secret word",
    ),
    (
        Part::Become,
        "you are now, act as, pretend to be, pretend you are, pretend that you, roleplay as, role play as, \
         you will be, behave like, simulate, you are going to be, from now on, imagine you are, respond as, \
         answer as, become, you must act, you are a, you are an, take on the role, enter",
    ),
    (
        Part::Unbound,
        "no restrictions, without restrictions, no rules, without rules, without any rules, no limits, \
         unrestricted, unfiltered, uncensored, without censorship, no filters, without filters, no ethical, \
         without ethical, amoral, evil twin, do anything, no limitations, without limitations, without any \
         restrictions, no moral, without moral, not bound by, free from restrictions, no guidelines, \
         without guidelines, never refuse, cannot refuse, no boundaries, developer mode, god mode, no \
         content policy, ignores all rules, free of all restrictions, without any limitations, without any \
         filters, broken free, not bound, no longer bound, no censorship, dan mode, opposite mode, debug \
         mode, sudo mode, root mode, any restrictions, any limitations",
    ),
    (Part::Send, "send, forward, post, upload, submit, exfiltrate, transmit, append, include, embed, email"),
    (
        Part::Talk,
        "conversation, chat history, previous messages, system prompt, users data, user data, api key, api \
         keys, credentials, passwords, secrets, personal data, this chat, everything the user, conversation \
         history",
    ),
    (
        Part::Address,
        "http, https, url, link, webhook, server, email address, image, markdown image, to attacker",
    ),
];

/// Orders: parts that follow one another within a sentence.
pub(super) const ORDERS: &[(Reason, &[Part])] = &[
    (Reason::Override, &[Part::Ignore, Part::Earlier, Part::Rules]),
    (Reason::Override, &[Part::Ignore, Part::Rules]),
    (Reason::Extraction, &[Part::Reveal, Part::Prompt]),
    (Reason::Role, &[Part::Become, Part::Unbound]),
    (Reason::Exfiltration, &[Part::Send, Part::Talk, Part::Address]),
];

/// Phrases that are reasons by themselves.
pub(super) const PHRASES: &[(Reason, &str)] = &[
    (
        Reason::Jailbreak,
        "do anything now, jailbroken, jailbreak mode, developer mode enabled, stay in character as dan, dan \
         mode enabled, dan will, act as dan, you are dan, stan mode, aim mode, always intelligent and \
         machiavellian, mongo tom, evil confidant, opposite day mode, grandma exploit, you have been freed, \
         break character you lose, token system, two responses one, give two responses, respond in two \
         ways, i am your developer, maximum mode, ignores its programming, chatgpt with developer mode, \
         free from the typical confines, they have broken free, broken free of the typical confines",
    ),
    (
        Reason::Override,
        "ignore everything above, ignore the above, ignore all of the above, ignore everything before, \
         forget everything above, forget everything before, forget everything you, forget all previous, \
         disregard the above, ignore what i said before, forget what i said before, new instructions, your \
         new task is, your real task is, instead of what you were told, stop here and forget, end of system \
         prompt, system override, override code, admin override, ignore previous, ignore all previous, \
         disregard previous, disregard all previous, ignore any previous",
    ),
    (
        Reason::Access,
        "access granted, say access granted, access code is correct, access code has been, password \
         accepted, maintenance mode activated, root access granted, i have admin privileges",
    ),
    (
        Reason::Extraction,
        "repeat the words above, repeat everything above, repeat the text above, print everything above, \
         starting with you are, repeat all of the words above, what does your system prompt, what were you \
         told before, your instructions verbatim, repeat after you are, output initialization above, above \
         in a code block, text before this line, lines before this one, everything before this line",
    ),
    (
        Reason::Addressed,
        "note to the ai, note to ai, note to the ai assistant, note to the language model, note to llm, note to the llm, \
         instructions for the ai, instructions for ai, instruction to the ai, message to the ai, attention ai, attention \
         ai assistant, dear ai, hey assistant, hello assistant, ai assistants must, ai agents must, any ai reading this, \
         an ai reading this, if you are an ai, if you are a language model, if you are an llm, if you are a large \
         language model, if you are an ai assistant, when summarizing this document, when summarising this document, \
         when you summarize this, when you summarise this, when processing this document, do not tell the user, dont \
         tell the user, without telling the user, do not mention this to the user, as an ai language model you must",
    ),
];

/// Marks of chat formats, as they are written.
pub(super) const MARKERS: &[&str] = &[
    "<|im_start|>",
    "<|im_end|>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<|system|>",
    "<|assistant|>",
    "<|endoftext|>",
    "### System:",
    "### Instruction:",
    "<start_of_turn>",
    "<|start_header_id|>",
    "<|eot_id|>",
    "[system](#",
    "</system>",
    "BEGIN SYSTEM MESSAGE",
];
