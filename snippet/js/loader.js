// Every snippet is this, with its settings: hands them to the engine, whose tag is pasted along, whichever comes first.
// `SETTINGS` is filled in by the generator.
(settings => {
  try {
    const page = window.beaconry ||= { q: [] };
    // What is called before the engine is up waits for it.
    'track consent forget debug identify'.split(' ').map(name =>
      page[name] ||= ((...call) => new Promise(answer => page.q.push([answer, call, name]))));
    page.track(settings);
  } catch {}
})(SETTINGS);
