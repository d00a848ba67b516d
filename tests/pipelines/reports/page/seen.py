"""Scripts by which tests ask a browser what of a page can be read: contrast, sizes of letters, what is cut off."""

CONTRAST = """() => {
  const parse = text => {
    const found = text.match(/[\\d.]+/g).map(Number);
    if (text.startsWith('color(srgb')) return [...found.slice(0, 3).map(x => 255 * x), found[3] ?? 1];
    return [...found.slice(0, 3), found[3] ?? 1];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[3] * top[i] + (1 - top[3]) * below[i]).concat(1);
  const ground = element => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const own = parse(getComputedStyle(one).backgroundColor);
      if (own[3] > 0) layers.push(own);
      if (own[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest('script, style, title, desc')) continue;
    const drawn = element.closest('svg');
    // Words over a picture or a bar stand on what no style says.
    if (drawn && element.closest('.on-picture')) continue;
    const below = ground(drawn ? drawn.parentElement : element);
    const own = over(parse(drawn ? style.fill : style.color), below);
    const [high, low] = [light(own), light(below)].sort((a, b) => b - a);
    found.push([(high + 0.05) / (low + 0.05), text.slice(0, 60), drawn ? 'chart' : element.tagName]);
  }
  return found;
}"""
"""Yields the contrast of each text with what lies below it (WCAG 2, 1.4.3), the text, and what it stands in."""

LETTERS = """() => [...document.querySelectorAll('svg text')].filter(one => one.textContent.trim()).map(one => {
  const scale = Math.hypot(one.getScreenCTM().a, one.getScreenCTM().b);
  return [scale * parseFloat(getComputedStyle(one).fontSize), one.textContent.trim().slice(0, 60)];
})"""
"""Yields the height of letters in charts in pixels of the screen, and the text."""

CUT_OFF = """() => [...document.querySelectorAll('body *')].filter(one => {
  if (one.closest('svg') && one.tagName !== 'svg') return false;
  return one.checkVisibility() && one.getBoundingClientRect().right > document.documentElement.clientWidth + 1;
}).map(one => [one.tagName, one.className.toString().slice(0, 30), one.textContent.trim().slice(0, 60)])"""
"""Yields what reaches beyond the sheet, whose paper does not scroll."""

WORDS_CUT = """() => [...document.querySelectorAll('svg')].flatMap(chart => {
  const frame = chart.getBoundingClientRect();
  return [...chart.querySelectorAll('text')].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && (box.left < frame.left - 2 || box.right > frame.right + 2 ||
      box.top < frame.top - 2 || box.bottom > frame.bottom + 2);
  }).map(one => [chart.getAttribute('aria-label'), one.textContent.trim()]);
})"""
"""Yields words of charts that reach beyond their chart."""

COUNTS_CUT = """() => [...document.querySelectorAll('.figures')].filter(one => one.checkVisibility()).flatMap(table => {
  const frame = table.closest('.scroll').getBoundingClientRect();
  return [...table.querySelectorAll('tr > .figure:last-child')].filter(cell => {
    const box = cell.getBoundingClientRect();
    return box.right > frame.right + 1 || box.left < frame.left - 1;
  }).map(cell => cell.textContent.trim());
})"""
"""Yields counts of samples that a reader sees in part: of 100 the first two digits are another number."""

NUMBERS = """() => [...document.querySelectorAll('data')].map(one => ({
  text: one.textContent, value: one.value, low: one.dataset.low ?? null, high: one.dataset.high ?? null,
  percent: one.dataset.percent === 'true' || one.textContent.includes('%'),
  rows: (one.dataset.rows ?? '').split(' ').filter(Boolean).map(Number), table: one.closest('section')?.id ?? ''
})).concat([...document.querySelectorAll('svg [data-value]')].map(one => ({
  text: one.textContent.trim().match(/[-\\u2212]?[\\d.,]+(?= ?%?$)/)[0],
  value: one.dataset.value, low: null, high: null,
  percent: one.textContent.trim().endsWith('%'), rows: [], table: 'chart'
})))"""
"""Yields every number that the page marks as one: its text, what it stands for, and the rows that it comes of."""

UNMARKED = """() => {
  const places = '.tile .value, .tile .aside, .figures td.figure, #all-figures td.figure:not(.seed)';
  return [...document.querySelectorAll(places)].filter(cell => {
    const copy = cell.cloneNode(true);
    for (const one of copy.querySelectorAll('data, small.unit')) one.remove();
    return /[0-9]/.test(copy.textContent.replace('95 % interval', ''));
  }).map(cell => cell.textContent.trim());
}"""
"""Yields cells that hold a number which is not marked."""
