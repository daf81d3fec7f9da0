// The head of every snippet: hands its settings to an engine on the page, and loads the one it was published with where
// there is none that takes them. Capitalised names are filled in by the generator.
(settings => {
  try {
    const me = document.currentScript || {};
    const page = window.beaconry = window.beaconry || {
      q: [],
      track: (...call) => new Promise(answer => page.q.push([answer, call])),
    };
    // `f`: the newest format of settings that an engine takes which is on the page or on its way.
    if (!(page.f >= settings[0])) {
      page.f = settings[0];
      const url = ENGINE_URL;
      const script = document.createElement('script');
      // Side by side with the script that will use it.
      script.w = fetch(url + '.wasm', { integrity: WASM_INTEGRITY });
      script.w.catch(() => {});
      script.crossOrigin = '';
      script.integrity = SCRIPT_INTEGRITY;
      script.nonce = me.nonce || '';
      // Where the page asks for Trusted Types, its policy is to allow `beaconry`.
      const { trustedTypes } = window;
      script.src = trustedTypes
        ? trustedTypes.createPolicy('beaconry', { createScriptURL: url => url }).createScriptURL(url + '.js')
        : url + '.js';
      document.head.append(script);
    }
    page.track(settings);
  } catch {}
})(SETTINGS);
