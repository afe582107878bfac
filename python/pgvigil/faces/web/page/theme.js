// Runs before anything is painted, so that a chosen theme does not flash.
(() => {
  try {
    const chosen = localStorage.getItem("pgvigil-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is refused: the system's theme it is.
  }
})();
