// Texts that do not stand out from their ground: contrast as WCAG 2 has it, translucent grounds mixed.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  function rgba(colour) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  }

  function mixed(over, under) {
    return over.slice(0, 3).map((part, place) => part * over[3] + under[place] * (1 - over[3]));
  }

  function ground(element) {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      layers.unshift(rgba(getComputedStyle(each).backgroundColor));
      if (layers[0][3] === 1) break;
    }
    return layers.reduce((under, over) => mixed(over, under), [255, 255, 255]);
  }

  function luminance(colour) {
    const [red, green, blue] = colour
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const element = text.parentElement;
    const isSeen = text.data.trim() && element.checkVisibility({ opacityProperty: true });
    if (!isSeen || element.closest(":disabled, noscript, .hidden-text, .skip")) continue;
    const style = getComputedStyle(element);
    const under = ground(element);
    const [dark, light] = [luminance(mixed(rgba(style.color), under)), luminance(under)]
      .sort((one, other) => one - other);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
      faint.push(`${text.data.trim()} ${contrast.toFixed(2)}`);
    }
  }
  return faint;
}
