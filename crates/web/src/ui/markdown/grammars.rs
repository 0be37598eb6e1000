//! What the languages of code blocks look like: how comments and strings begin, and which words are their own.

/// How a language is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grammar {
    /// What begins a comment that goes to the end of the line.
    pub(super) lines: &'static [&'static str],
    /// What begins and ends a comment of many lines.
    pub(super) block: Option<(&'static str, &'static str)>,
    /// What begins and ends a string.
    pub(super) quotes: &'static str,
    /// Three quotes begin a string of many lines.
    pub(super) triple: bool,
    /// An apostrophe is for one character (and for lifetimes, which are none).
    pub(super) characters: bool,
    /// What stands before a colon or an equals sign is a name.
    pub(super) names: bool,
    /// Words that begin with a capital are types.
    pub(super) types: bool,
    /// Keywords may be written in capitals.
    pub(super) any_case: bool,
    /// The words of the language, with spaces between them.
    pub(super) keywords: &'static str,
}

const PLAIN: Grammar = Grammar {
    lines: &[],
    block: None,
    quotes: "\"'",
    triple: false,
    characters: false,
    names: false,
    types: false,
    any_case: false,
    keywords: "",
};
const C: Grammar = Grammar { lines: &["//"], block: Some(("/*", "*/")), types: true, ..PLAIN };
const HASH: Grammar = Grammar { lines: &["#"], ..PLAIN };

const RUST: &str = "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while";
const CPP: &str = "alignas auto bool break case catch char class const constexpr continue default delete do double else enum explicit extern false float for friend goto if inline int long namespace new noexcept nullptr operator override private protected public return short signed sizeof static struct switch template this throw true try typedef typename union unsigned using virtual void volatile while";
const JAVA: &str = "abstract as async await base bool boolean break byte case catch char class const continue data default do double else enum extends false final finally float for foreach fun get if implements import in instanceof int interface internal is let long namespace new null object out override package private protected public readonly record return sealed set short static string struct super switch this throw throws true try using val var virtual void volatile when while yield";
const JS: &str = "abstract any as async await boolean break case catch class const constructor continue debugger declare default delete do else enum export extends false finally for from function get if implements import in infer instanceof interface keyof let namespace never new null number of private protected public readonly return satisfies set static string super switch this throw true try type typeof undefined unknown var void while with yield";
const GO: &str = "break case chan const continue default defer else fallthrough false for func go goto if import interface iota map nil package range return select struct switch true type var";
const SWIFT: &str = "actor as associatedtype async await break case catch class continue default defer deinit do else enum extension false fileprivate for func guard if import in init inout internal is let nil open operator override private protocol public repeat rethrows return self Self some static struct subscript super switch throw throws true try typealias var where while";
const PYTHON: &str = "and as assert async await break case class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield";
const RUBY: &str = "alias and begin break case class def defined do else elsif end ensure false for if in module next nil not or private protected public raise redo require rescue retry return self super then true undef unless until when while yield";
const PHP: &str = "abstract and array as break case catch class const continue declare default do echo else elseif enum extends false final finally fn for foreach function global if implements include instanceof interface match namespace new null or private protected public readonly require return static switch this throw trait true try use var while yield";
const SHELL: &str = "alias break case cd continue do done echo elif else esac eval exec exit export fi for function if in local printf read return set shift source sudo then trap unset until while";
const SQL: &str = "add all alter and any as asc begin between by cascade case check column commit constraint create cross current_timestamp database default delete desc distinct drop else end exists explain false foreign from full grant group having if in index inner insert into is join key left like limit not null offset on or order outer over partition primary references returning right rollback select set table then transaction true union unique update using values view when where with";
const CSS: &str = "important inherit initial unset auto none from to";
const LUA: &str = "and break do else elseif end false for function goto if in local nil not or repeat return then true until while";
const HASKELL: &str = "as case class data default deriving do else forall foreign hiding if import in infix instance let module newtype of qualified then type where";
const R: &str =
    "break else FALSE for function if in Inf library NA NaN next NULL repeat require return TRUE while";

/// The grammar of a language by the word after the fence.
pub(super) fn grammar(language: &str) -> Option<Grammar> {
    let found = match language {
        "rust" | "rs" => Grammar { keywords: RUST, quotes: "\"", characters: true, ..C },
        "c" | "h" | "cpp" | "c++" | "cc" | "hpp" | "cxx" | "objc" | "arduino" | "glsl" => {
            Grammar { keywords: CPP, ..C }
        }
        "java" | "kotlin" | "kt" | "kts" | "scala" | "csharp" | "cs" | "c#" | "dart" | "groovy" => {
            Grammar { keywords: JAVA, triple: true, ..C }
        }
        "js" | "javascript" | "mjs" | "jsx" | "ts" | "typescript" | "tsx" => {
            Grammar { keywords: JS, quotes: "\"'`", ..C }
        }
        "go" | "golang" => Grammar { keywords: GO, quotes: "\"'`", ..C },
        "swift" => Grammar { keywords: SWIFT, quotes: "\"", triple: true, ..C },
        "php" => Grammar { keywords: PHP, lines: &["//", "#"], ..C },
        "python" | "py" | "python3" => Grammar { keywords: PYTHON, triple: true, types: true, ..HASH },
        "ruby" | "rb" => Grammar { keywords: RUBY, types: true, ..HASH },
        "sh" | "bash" | "shell" | "zsh" | "console" | "dockerfile" | "makefile" | "fish" => {
            Grammar { keywords: SHELL, ..HASH }
        }
        "r" => Grammar { keywords: R, ..HASH },
        "yaml" | "yml" | "toml" | "ini" | "conf" | "properties" | "env" | "nix" => {
            Grammar { keywords: "true false null yes no on off", names: true, triple: true, ..HASH }
        }
        "json" | "jsonc" | "json5" | "jsonl" => {
            Grammar { keywords: "true false null", names: true, types: false, ..C }
        }
        "sql" | "postgres" | "postgresql" | "sqlite" | "mysql" | "plsql" => {
            Grammar { keywords: SQL, lines: &["--"], types: false, any_case: true, ..C }
        }
        "css" | "scss" | "less" => {
            let lines: &[&str] = if language == "css" { &[] } else { &["//"] };
            Grammar { keywords: CSS, lines, names: true, types: false, ..C }
        }
        "lua" => Grammar { keywords: LUA, lines: &["--"], ..PLAIN },
        "haskell" | "hs" | "elm" => {
            let block = Some(("{-", "-}"));
            Grammar { keywords: HASKELL, lines: &["--"], block, quotes: "\"", types: true, ..PLAIN }
        }
        _ => return None,
    };
    Some(found)
}
