// The text with the least contrast in the first view: [ratio, its element]. axe leaves colors that CSS mixes undecided,
// so each text's color and all that lies behind it are painted on one pixel, and the ratio is WCAG's.
() => {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (colors) => {
    for (const color of colors) {
      pixel.fillStyle = color;
      pixel.fillRect(0, 0, 1, 1);
    }
    return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3).map((x) => x / 255);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const hasText = (element) =>
    element.matches("input[type=text]") ||
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());

  const ratios = [...document.querySelectorAll("#first .cb-widget *")]
    .filter((element) => hasText(element) && element.checkVisibility())
    .map((element) => {
      const behind = [];
      for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
      const [paper, ink] = [behind, [...behind, getComputedStyle(element).color]].map((layers) => luminance(paint(layers)));
      return [(Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05), element.outerHTML];
    });
  return ratios.sort(([a], [b]) => a - b)[0];
}
