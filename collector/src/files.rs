//! Published files in memory, so that serving one does not wait for the database.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use beaconry_store::{PublishedFile, Store, StoreError};

/// Files kept in memory at the most: some hundred events' snippets and a few engines.
const MAX_FILES: usize = 1_000;

/// The files that were asked for lately. What is published never changes, so nothing here is ever out of date.
#[derive(Debug, Default)]
pub(crate) struct Files(RwLock<HashMap<String, Arc<PublishedFile>>>);

impl Files {
    /// The published file at this path.
    pub(crate) fn get(
        &self,
        store: &Store,
        path: &str,
    ) -> Result<Option<Arc<PublishedFile>>, StoreError> {
        if let Some(file) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(Some(file.clone()));
        }
        let Some(file) = store.registry().published(path)?.map(Arc::new) else { return Ok(None) };
        let mut files = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= MAX_FILES {
            files.clear();
        }
        files.insert(path.to_owned(), file.clone());
        Ok(Some(file))
    }
}
