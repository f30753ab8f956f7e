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

use proc_macro2::{TokenStream, TokenTree};
use syn::{Fields, Item, Type, UseTree, Visibility};

/// The types that a user of the crate can name, and whether each can hold any text at all.
pub(crate) fn public_types(crate_folder: &str) -> BTreeMap<String, Kind> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(crate_folder)
        .join("src/lib.rs");
    let mut tree = Tree::default();
    let name = crate_folder.replace('-', "_");
    tree.file(&root, vec![name.clone()]);
    let mut found = BTreeMap::new();
    tree.reach(&[name], &mut BTreeSet::new(), &mut found);
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only numbers, times and words of the program itself: nothing that a caller or service gave.
    Plain,
    Other,
}

type ModulePath = Vec<String>;

#[derive(Default)]
struct Module {
    types: BTreeMap<String, (bool, Kind)>,
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
                    let kind = kind_of_fields(&item.fields);
                    let public = is_public(&item.vis);
                    module.types.insert(item.ident.to_string(), (public, kind));
                }
                Item::Enum(item) => {
                    let plain = item
                        .variants
                        .iter()
                        .all(|variant| kind_of_fields(&variant.fields) == Kind::Plain);
                    let kind = if plain { Kind::Plain } else { Kind::Other };
                    let public = is_public(&item.vis);
                    module.types.insert(item.ident.to_string(), (public, kind));
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

fn kind_of_fields(fields: &Fields) -> Kind {
    let plain = fields.iter().all(|field| is_plain(&field.ty));
    if plain { Kind::Plain } else { Kind::Other }
}

/// Numbers and times, and text of the program itself.
fn is_plain(of: &Type) -> bool {
    match of {
        Type::Reference(reference) => {
            let is_static = reference
                .lifetime
                .as_ref()
                .is_some_and(|lifetime| lifetime.ident == "static");
            is_static && matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str"))
        }
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return false;
            };
            match (&last.arguments, last.ident.to_string().as_str()) {
                (syn::PathArguments::None, name) => PLAIN.contains(&name),
                (syn::PathArguments::AngleBracketed(inner), "Option" | "Vec") => inner
                    .args
                    .iter()
                    .all(|inner| matches!(inner, syn::GenericArgument::Type(of) if is_plain(of))),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Every `name: Type` in a source file, macros included: fields, properties, arguments.
pub(crate) fn typed_names(source: &str) -> Vec<(String, String)> {
    let tokens: TokenStream = source.parse().unwrap_or_default();
    let mut found = Vec::new();
    names_in(tokens, &mut found);
    found
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

const PLAIN: [&str; 14] = [
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
    let core = public_types("entra-core");
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
    let auth = public_types("entra-auth");
    for name in [
        "entra_auth::user::account::Account",
        "entra_auth::web::session::Session",
        "entra_auth::certificate::value::Certificate",
    ] {
        assert!(auth.contains_key(name), "{name} of {auth:#?}");
    }
    assert!(!auth.contains_key("entra_auth::cache::key::Account"));
}
