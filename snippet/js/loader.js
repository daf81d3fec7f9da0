// The head of every snippet: hands its settings to an engine on the page, and loads the one it was published with where
// there is none that takes them. Capitalised names are filled in by the generator.
(settings => {
  try {
    const { currentScript, head } = document;
    const page = window.beaconry ||= { q: [] };
    // What is called before the engine is up waits for it.
    'track consent forget debug identify'.split(' ').map(name =>
      page[name] ||= ((...call) => new Promise(answer => page.q.push([answer, call, name]))));
    // `f`: the newest format of settings that an engine takes which is on the page or on its way.
    if (!(page.f >= settings[0])) {
      page.f = settings[0];
      // A policy for Trusted Types can be made once a page.
      page.p ||= (window.trustedTypes || { createPolicy: (name, policy) => policy })
        .createPolicy('beaconry', { createScriptURL: url => url });
      // Loads a script in a way that every policy allows which allowed this one.
      page.l = (url, integrity) => head.append(Object.assign(document.createElement('script'), {
        integrity, crossOrigin: '', nonce: currentScript?.nonce, src: page.p.createScriptURL(url + '.js'),
      }));
      page.l(ENGINE_URL, SCRIPT_INTEGRITY);
    }
    page.track(settings);
  } catch {}
})(SETTINGS);
