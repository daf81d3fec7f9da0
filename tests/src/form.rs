//! What a page's form would send as it stands, so that tests send what the page asks for, and not what they take it to ask.

/// The inputs of a form, in the order of the page.
#[derive(Clone, Debug)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The form with this id.
    pub fn on(page: &str, id: &str) -> Form {
        let start = page.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}: {page}"));
        let form = &page[start..];
        let form = &form[..form.find("</form>").expect("a form ends")];
        let mut inputs = Vec::new();
        for (at, _) in form.match_indices('<') {
            inputs.extend(input(&form[at + 1..]));
        }
        Form(inputs)
    }

    /// Types or chooses something else, or what was not chosen yet.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(found, _)| found == name) {
            Some((_, held)) => value.clone_into(held),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// What an input holds; `None` where there is no such input.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// What is sent.
    pub fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// What an element adds, whose tag begins here.
fn input(from: &str) -> Option<(String, String)> {
    let (tag, rest) = from.split_once('>')?;
    let word = tag.split_whitespace().next()?;
    let name = attribute(tag, "name")?;
    match word {
        "input" => {
            let ticked = !matches!(attribute(tag, "type").as_deref(), Some("checkbox" | "radio"))
                || tag.split_whitespace().any(|part| part == "checked");
            ticked.then(|| (name, attribute(tag, "value").unwrap_or_default()))
        }
        "textarea" => Some((name, text(rest.split_once('<')?.0))),
        "select" => {
            let options: Vec<_> =
                rest[..rest.find("</select>")?].split("<option").skip(1).collect();
            let chosen = options.iter().find(|option| option.contains(" selected"));
            Some((name, attribute(chosen.or(options.first())?, "value")?))
        }
        _ => None,
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(text(rest.split_once('"')?.0))
}

/// Text as it was before it was escaped.
fn text(escaped: &str) -> String {
    let pairs = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    pairs.iter().fold(escaped.to_owned(), |text, (code, letter)| text.replace(code, letter))
}
