//! The public types of a crate, read from its sources.
//!
//! A type is named as `std::any::type_name` names it, by the module that defines it. Types that
//! macros make are found where the macro's input spells `pub struct` or `pub enum`, and where a
//! `pub use` names something that is not another item.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Fields, Item, Type, UseTree, Visibility};

/// The types that a user of the crate can name, and whether each can hold any text at all. Those of `judged`,
/// public or not, cannot.
pub(crate) fn public_types(crate_folder: &str, judged: &[&str]) -> BTreeMap<String, Kind> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(crate_folder)
        .join("src/lib.rs");
    let mut tree = Tree::default();
    let name = crate_folder.replace('-', "_");
    tree.file(&root, vec![name.clone()]);
    tree.judge(judged);
    let mut found = BTreeMap::new();
    tree.reach(&[name], &mut BTreeSet::new(), &mut found);
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only numbers, times and words of the program itself: nothing that a caller or service gave.
    Plain,
    /// A model of a directory object that a macro makes, or a type of such models alone. All have one `Debug`,
    /// which shows the properties; those that hold a secret are a `Secret`.
    Model,
    Other,
}

type ModulePath = Vec<String>;

#[derive(Default)]
struct Module {
    types: BTreeMap<String, (bool, Kind)>,
    /// The types of all fields of each struct and enum.
    fields: BTreeMap<String, Vec<Type>>,
    modules: BTreeMap<String, bool>,
    /// What each public or private `use` brings: path and the name here; `None` for a glob.
    uses: Vec<(bool, ModulePath, Option<String>)>,
    /// Functions, traits, constants and aliases.
    others: BTreeSet<String>,
}

#[derive(Default)]
struct Tree(BTreeMap<ModulePath, Module>);

enum Target {
    Module(ModulePath),
    Type(ModulePath, String, Kind),
    Other,
}

impl Tree {
    fn file(&mut self, file: &Path, path: ModulePath) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let folder = match file.file_stem().unwrap().to_str().unwrap() {
            "lib" | "mod" => file.parent().unwrap().to_owned(),
            stem => file.parent().unwrap().join(stem),
        };
        self.items(&parsed.items, &folder, path);
    }

    fn items(&mut self, items: &[Item], folder: &Path, path: ModulePath) {
        let mut module = Module::default();
        for item in items {
            match item {
                Item::Struct(item) => {
                    module.add(&item.ident, &item.vis, types_of(&item.fields).collect());
                }
                Item::Enum(item) => {
                    let variants = item.variants.iter();
                    let fields = variants.flat_map(|variant| types_of(&variant.fields));
                    module.add(&item.ident, &item.vis, fields.collect());
                }
                Item::Mod(item) => {
                    if item.attrs.iter().any(is_for_tests) {
                        continue;
                    }
                    let name = item.ident.to_string();
                    let mut below = path.clone();
                    below.push(name.clone());
                    match &item.content {
                        Some((_, items)) => self.items(items, &folder.join(&name), below),
                        None => self.file(&file_of(folder, &name), below),
                    }
                    module.modules.insert(name, is_public(&item.vis));
                }
                Item::Use(item) => {
                    flatten(&item.tree, &mut Vec::new(), &mut |path, name| {
                        module.uses.push((is_public(&item.vis), path, name));
                    });
                }
                Item::Macro(item) if item.ident.is_none() => {
                    for name in types_in(item.mac.tokens.clone()) {
                        module.types.insert(name, (true, Kind::Other));
                    }
                    for (name, kind) in made_by(&item.mac) {
                        module.types.insert(name, (true, kind));
                    }
                }
                Item::Fn(item) => {
                    module.others.insert(item.sig.ident.to_string());
                }
                Item::Trait(item) => {
                    module.others.insert(item.ident.to_string());
                }
                Item::Const(item) => {
                    module.others.insert(item.ident.to_string());
                }
                Item::Static(item) => {
                    module.others.insert(item.ident.to_string());
                }
                Item::Type(item) => {
                    module.others.insert(item.ident.to_string());
                }
                _ => {}
            }
        }
        self.0.insert(path, module);
    }

    /// Finds the types whose fields are all plain, or plain and models, until there are no more.
    fn judge(&mut self, judged: &[&str]) {
        for name in judged {
            let mut modules = self.0.values();
            let is_known = modules.any(|module| module.types.contains_key(*name));
            assert!(is_known, "there is no type {name} to judge");
        }
        for to in [Kind::Plain, Kind::Model] {
            loop {
                let names = self.names(judged, to);
                let mut has_changed = false;
                for module in self.0.values_mut() {
                    for (name, fields) in &module.fields {
                        let is_so = || fields.iter().all(|field| is_of(field, &names));
                        if let Some((_, kind)) = module.types.get_mut(name)
                            && *kind == Kind::Other
                            && is_so()
                        {
                            *kind = to;
                            has_changed = true;
                        }
                    }
                }
                if !has_changed {
                    break;
                }
            }
        }
    }

    /// The names that stand for types of this kind, or a plainer one, wherever the crate has them.
    fn names(&self, judged: &[&str], most: Kind) -> BTreeSet<String> {
        let all = || self.0.values().flat_map(|module| &module.types);
        let is_plainer = |kind: Kind| kind == Kind::Plain || kind == most;
        let others: BTreeSet<&String> = all()
            .filter(|(_, (_, kind))| !is_plainer(*kind))
            .map(|(name, _)| name)
            .collect();
        let found = all().map(|(name, _)| name);
        let found = found.filter(|name| !others.contains(name)).cloned();
        let known = PLAIN.iter().chain(judged).map(|name| (*name).to_owned());
        found.chain(known).collect()
    }

    /// Everything public below a module that can be named.
    fn reach(
        &self,
        path: &[String],
        visited: &mut BTreeSet<ModulePath>,
        found: &mut BTreeMap<String, Kind>,
    ) {
        if !visited.insert(path.to_vec()) {
            return;
        }
        let Some(module) = self.0.get(path) else {
            return;
        };
        for (name, (public, kind)) in &module.types {
            if *public {
                found.insert(format!("{}::{name}", path.join("::")), *kind);
            }
        }
        for (name, public) in &module.modules {
            if *public {
                let mut below = path.to_vec();
                below.push(name.clone());
                self.reach(&below, visited, found);
            }
        }
        for (public, used, name) in &module.uses {
            if !public {
                continue;
            }
            match (self.resolve(path, used, 0), name) {
                (Some(Target::Module(module)), _) => self.reach(&module, visited, found),
                (Some(Target::Type(module, name, kind)), Some(_)) => {
                    found.insert(format!("{}::{name}", module.join("::")), kind);
                }
                _ => {}
            }
        }
    }

    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Target> {
        assert!(depth < 32, "{path:?} in {from:?}");
        let mut at = from.to_vec();
        let mut path = path;
        while let [first, rest @ ..] = path {
            match first.as_str() {
                "crate" => at.truncate(1),
                "self" => {}
                "super" => {
                    at.pop();
                }
                _ => break,
            }
            path = rest;
        }
        let Some((first, rest)) = path.split_first() else {
            return Some(Target::Module(at));
        };
        let module = self.0.get(&at)?;
        if module.modules.contains_key(first) {
            at.push(first.clone());
            return self.resolve(&at, &within(rest), depth + 1);
        }
        if rest.is_empty() {
            if let Some((_, kind)) = module.types.get(first) {
                return Some(Target::Type(at, first.clone(), *kind));
            }
            if module.others.contains(first) {
                return Some(Target::Other);
            }
        }
        // Brought in by another `use` of that module.
        for (_, used, name) in &module.uses {
            // A `use` of a crate by its own name leads nowhere.
            let is_crate = used.len() == 1 && used.first() == Some(first);
            if name.as_ref() == Some(first) && used.as_slice() != path && !is_crate {
                let mut whole = used.clone();
                whole.extend_from_slice(rest);
                return self.resolve(&at, &whole, depth + 1);
            }
        }
        let is_type = first.starts_with(char::is_uppercase) && first.contains(char::is_lowercase);
        // Below another crate there is nothing of this one.
        (rest.is_empty() && is_type && depth > 0)
            .then(|| Target::Type(at, first.clone(), Kind::Other))
    }
}

impl Module {
    fn add(&mut self, name: &syn::Ident, visibility: &Visibility, fields: Vec<Type>) {
        let name = name.to_string();
        self.types
            .insert(name.clone(), (is_public(visibility), Kind::Other));
        self.fields.insert(name, fields);
    }
}

/// The types that the macros of entra-graph make, by the words before their first bodies.
fn made_by(made: &syn::Macro) -> Vec<(String, Kind)> {
    let path = made.path.segments.last();
    let name = path.map(|segment| segment.ident.to_string());
    let tokens: Vec<TokenTree> = made.tokens.clone().into_iter().collect();
    let is_name = |at: usize| match (&tokens[at], tokens.get(at + 1)) {
        (TokenTree::Ident(_), Some(TokenTree::Punct(colon))) => {
            colon.as_char() == ':' && colon.spacing() == proc_macro2::Spacing::Alone
        }
        _ => false,
    };
    match name.as_deref() {
        Some("entity" | "complex" | "open_enum" | "sign_in") => {
            let mut names = tokens.iter().filter_map(|token| match token {
                TokenTree::Ident(name) => Some((name.to_string(), Kind::Model)),
                _ => None,
            });
            names.next().into_iter().collect()
        }
        // Each place is a struct without fields.
        Some("places" | "singles") => (0..tokens.len())
            .filter(|at| is_name(*at))
            .map(|at| (tokens[at].to_string(), Kind::Plain))
            .collect(),
        _ => Vec::new(),
    }
}

fn within(rest: &[String]) -> ModulePath {
    let mut path = vec!["self".to_owned()];
    path.extend_from_slice(rest);
    path
}

fn file_of(folder: &Path, name: &str) -> PathBuf {
    let beside = folder.join(format!("{name}.rs"));
    if beside.is_file() {
        beside
    } else {
        folder.join(name).join("mod.rs")
    }
}

const fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_for_tests(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|ident| ident == "test")
}

fn flatten(
    tree: &UseTree,
    before: &mut ModulePath,
    each: &mut impl FnMut(ModulePath, Option<String>),
) {
    let with = |before: &ModulePath, name: String| {
        let mut path = before.clone();
        if name != "self" {
            path.push(name);
        }
        path
    };
    match tree {
        UseTree::Path(tree) => {
            before.push(tree.ident.to_string());
            flatten(&tree.tree, before, each);
            before.pop();
        }
        UseTree::Name(tree) => {
            let name = tree.ident.to_string();
            each(with(before, name.clone()), Some(name));
        }
        UseTree::Rename(tree) => each(
            with(before, tree.ident.to_string()),
            Some(tree.rename.to_string()),
        ),
        UseTree::Glob(_) => each(before.clone(), None),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, each);
            }
        }
    }
}

/// The names after `pub struct` and `pub enum` in a macro's input, at any depth.
fn types_in(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut last = [String::new(), String::new()];
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            found.extend(types_in(group.stream()));
        }
        let text = token.to_string();
        if last[0] == "pub" && matches!(last[1].as_str(), "struct" | "enum") {
            found.push(text.clone());
        }
        last = [std::mem::take(&mut last[1]), text];
    }
    found
}

fn types_of(fields: &Fields) -> impl Iterator<Item = Type> {
    fields.iter().map(|field| field.ty.clone())
}

/// Whether the type is one of these names, a container of them, or text of the program itself.
fn is_of(of: &Type, names: &BTreeSet<String>) -> bool {
    match of {
        Type::Slice(of) => is_of(&of.elem, names),
        Type::Array(of) => is_of(&of.elem, names),
        Type::Tuple(of) => of.elems.iter().all(|of| is_of(of, names)),
        Type::Reference(reference) => {
            let is_static = reference
                .lifetime
                .as_ref()
                .is_some_and(|lifetime| lifetime.ident == "static");
            let is_str = matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str"));
            is_static && (is_str || is_of(&reference.elem, names))
        }
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return false;
            };
            match (&last.arguments, last.ident.to_string().as_str()) {
                (_, "PhantomData") => true,
                (syn::PathArguments::None, name) => names.contains(name),
                (syn::PathArguments::AngleBracketed(inner), name) if CONTAINERS.contains(&name) => {
                    inner.args.iter().all(
                        |inner| matches!(inner, syn::GenericArgument::Type(of) if is_of(of, names)),
                    )
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// Every `name: Type` of a struct, an enum or a macro that makes them, in a source file.
pub(crate) fn fields(source: &str) -> Vec<(String, String)> {
    let tokens: TokenStream = source.parse().unwrap_or_default();
    let mut found = Vec::new();
    fields_in(tokens, &mut found);
    found
}

fn fields_in(tokens: TokenStream, found: &mut Vec<(String, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let text = |at: usize| tokens.get(at).map(ToString::to_string).unwrap_or_default();
    for at in 0..tokens.len() {
        let is_item = matches!(text(at).as_str(), "struct" | "enum");
        let is_module = text(at) == "mod" && text(at + 1) != "tests";
        let is_macro = text(at + 1) == "!" && text(at) != "macro_rules";
        // The body of a module or a macro is its third token, that of a type comes after its generics.
        let within = match () {
            () if is_item => tokens.len() - at,
            () if is_module || is_macro => 3,
            () => continue,
        };
        let body = tokens[at..].iter().take(within);
        let body = body.take_while(|token| token.to_string() != ";");
        let mut groups = body.filter_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() != Delimiter::Bracket => Some(group),
            _ => None,
        });
        if let Some(group) = groups.next() {
            match is_module {
                true => fields_in(group.stream(), found),
                false => names_in(group.stream(), found),
            }
        }
    }
}

fn names_in(tokens: TokenStream, found: &mut Vec<(String, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            names_in(group.stream(), found);
        }
        let (TokenTree::Ident(name), Some(TokenTree::Punct(colon))) = (token, tokens.get(at + 1))
        else {
            continue;
        };
        if colon.as_char() != ':' || colon.spacing() != proc_macro2::Spacing::Alone {
            continue;
        }
        let of: Vec<String> = tokens
            .iter()
            .skip(at + 2)
            .map(ToString::to_string)
            .take_while(|text| !matches!(text.as_str(), "," | "=" | ";"))
            .collect();
        found.push((name.to_string(), of.join(" ")));
    }
}

const CONTAINERS: [&str; 8] = [
    "Option", "Vec", "Box", "Arc", "BTreeSet", "BTreeMap", "VecDeque", "Result",
];

const PLAIN: [&str; 17] = [
    "i128",
    "Method",
    "Idempotency",
    "bool",
    "u8",
    "u16",
    "u32",
    "u64",
    "usize",
    "i32",
    "i64",
    "f64",
    "Duration",
    "Timestamp",
    "AtomicU64",
    "StatusCode",
    "Guid",
];

#[test]
fn the_scanner_finds_types_behind_every_kind_of_path() {
    let core = public_types("entra-core", &[]);
    for (name, kind) in [
        ("entra_core::secret::Secret", Kind::Other),
        ("entra_core::ids::ClientId", Kind::Other),
        ("entra_core::error::ErrorKind", Kind::Plain),
        (
            "entra_core::transport::reqwest::ReqwestTransport",
            Kind::Other,
        ),
    ] {
        assert_eq!(core.get(name), Some(&kind), "{name} of {core:#?}");
    }
    assert!(!core.contains_key("entra_core::transport::PlainHttp"));
    assert!(!core.contains_key("entra_core::credential::TokenCredential"));
    let auth = public_types("entra-auth", &[]);
    for name in [
        "entra_auth::user::account::Account",
        "entra_auth::web::session::Session",
        "entra_auth::certificate::value::Certificate",
    ] {
        assert!(auth.contains_key(name), "{name} of {auth:#?}");
    }
    assert!(!auth.contains_key("entra_auth::cache::key::Account"));
    let graph = public_types("entra-graph", &["Body"]);
    for (name, kind) in [
        ("entra_graph::objects::user::User", Kind::Model),
        ("entra_graph::areas::users::Users", Kind::Plain),
        ("entra_graph::areas::users::new::NewUser", Kind::Plain),
        ("entra_graph::raw::RawResponse", Kind::Other),
    ] {
        assert_eq!(graph.get(name), Some(&kind), "{name} of {graph:#?}");
    }
}
