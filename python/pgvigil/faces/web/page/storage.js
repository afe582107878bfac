// What the browser keeps for the page. Where it refuses to, the page does so until it is closed.

function keeper(name) {
  try {
    window[name].getItem("");
    return window[name];
  } catch {
    const kept = new Map();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
    };
  }
}

export const ofBrowser = keeper("localStorage");
export const ofTab = keeper("sessionStorage");
