// @ts-check
// The compare panel's page. It shows what the extension host sends and says which button was pressed.
// Texts of models only ever become text nodes.
(() => {
  // @ts-expect-error provided by the editor
  const vscode = acquireVsCodeApi();
  const labels = JSON.parse(document.body.dataset.labels ?? "{}");
  const get = (id) => document.getElementById(id);
  const list = get("list");
  const differences = get("differences");
  const wrap = get("wrap");
  const keys = { Enter: "insert", c: "copy", d: "diff" };
  let view;

  /** Makes an element with attributes and children; strings become text. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function show(next) {
    view = next;
    vscode.setState(view);
    // Redrawn while it grows: the focus stays where the reader is.
    const { candidate, action } = document.activeElement?.dataset ?? {};
    get("heading").textContent = view.heading;
    get("about").textContent = view.about;
    get("problems").replaceChildren(...view.problems.map((problem) => make("li", {}, problem)));
    get("tools").hidden = view.rows.length === 0;
    differences.disabled = view.rows.length < 2;
    list.replaceChildren(...view.rows.map(rowOf));
    for (const code of list.querySelectorAll("pre")) reveal(code);
    if (candidate !== undefined) {
      const selector = `[data-candidate="${CSS.escape(candidate)}"]`;
      list.querySelector(action ? `${selector}[data-action="${action}"]` : selector)?.focus();
    }
  }

  function rowOf(row, index) {
    const heading = `heading-${index}`;
    const rank = labels.rank.replace("{0}", String(row.rank));
    const title = make(
      "h2",
      { id: heading },
      make("span", { class: "rank" }, rank),
      make("span", { class: "headline" }, row.headline),
      ...row.marks.map((mark) => make("span", { class: "mark" }, mark)),
    );
    const head = make("div", { class: "head" }, title, buttonsOf(row, rank));
    const card = make("article", {
      tabindex: index === 0 ? "0" : "-1",
      "aria-labelledby": heading,
      "data-candidate": row.candidate,
      class: row.valid ? "card" : "card invalid",
    });
    card.append(head);
    if (row.bar) card.append(barOf(row.bar, heading));
    card.append(make("p", { class: "facts" }, row.facts.join(" · ")));
    card.append(codeOf(differences.checked && row.differences.length > 0 ? row.differences : row.code));
    return make("li", {}, card);
  }

  function buttonsOf(row, rank) {
    const buttons = view.actions
      .filter((action) => action !== "insert" || row.valid)
      .map((action) =>
        make(
          "button",
          {
            type: "button",
            "data-action": action,
            "data-candidate": row.candidate,
            "aria-label": `${labels[action]}, ${rank}`,
          },
          labels[action],
        ),
      );
    return make("div", { class: "buttons" }, ...buttons);
  }

  function barOf(bar, heading) {
    const fill = make("div", { class: "fill" });
    fill.style.setProperty("width", `${(bar.value * 100).toFixed(1)}%`);
    return make(
      "div",
      {
        class: "bar",
        role: "meter",
        "aria-labelledby": heading,
        "aria-valuemin": "0",
        "aria-valuemax": "1",
        "aria-valuenow": bar.value.toFixed(2),
        "aria-valuetext": bar.text,
      },
      fill,
    );
  }

  function codeOf(lines) {
    const code = make("code");
    for (const { change, tokens, changed } of lines) {
      const line = make("span", { class: `line ${change}` });
      // Colour alone would say nothing to those who cannot see it.
      if (change !== "same") line.append(make("span", { class: "unseen" }, labels[change]));
      const [first, end] = changed ?? [0, 0];
      const pieces = tokens.map(([text, kind]) => (kind === "" ? text : make("span", { class: kind }, text)));
      line.append(...pieces.slice(0, first));
      if (end > first) line.append(make("mark", {}, ...pieces.slice(first, end)));
      line.append(...pieces.slice(end));
      line.append("\n");
      code.append(line);
    }
    return make("pre", { tabindex: "-1" }, code);
  }

  /** Scrolls to where a long line differs from the best one's, when that is out of sight. */
  function reveal(code) {
    const mark = code.querySelector("mark");
    const inSight = mark && mark.offsetLeft + Math.min(mark.offsetWidth, 80) <= code.clientWidth;
    code.scrollLeft = !mark || inSight ? 0 : Math.max(0, mark.offsetLeft - code.clientWidth / 3);
  }

  function act(action, candidate) {
    if (!view?.actions.includes(action)) return;
    const row = view.rows.find((one) => one.candidate === candidate);
    if (action === "insert" && !row?.valid) return;
    vscode.postMessage({ type: action, rankingId: view.rankingId, candidate });
  }

  /** Moves to the card before or after; one of them is in the order of the Tab key. */
  function move(card, step) {
    const cards = [...list.querySelectorAll("article")];
    const next = cards[cards.indexOf(card) + step];
    if (!next) return;
    for (const one of cards) one.tabIndex = one === next ? 0 : -1;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) act(button.dataset.action, button.dataset.candidate);
  });
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const card = event.target.closest("article");
    if (!card) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(card, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.target === card && Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      act(keys[event.key], card.dataset.candidate);
    }
  });
  differences.addEventListener("change", () => show(view));
  wrap.addEventListener("change", () => {
    document.body.classList.toggle("wrap", wrap.checked);
    for (const code of list.querySelectorAll("pre")) reveal(code);
  });
  window.addEventListener("message", ({ data }) => {
    if (data.type === "view") show(data.view);
    else if (data.type === "said") get("said").textContent = data.text;
  });
  get("about").textContent = labels.none;
  get("tools").hidden = true;
  vscode.postMessage({ type: "ready" });
})();
