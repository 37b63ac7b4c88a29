/// The home page's style: light and dark, from 360 pixels on.
enum HomeStyle {
    static let css = #"""
:root {
  color-scheme: light dark;
  --ground: #f4f6f8; --panel: #ffffff; --text: #17202a; --quiet: #53606e; --rule: #d9dfe6; --edge: #7c8896;
  --accent: #0a5dbd; --on-accent: #ffffff; --code: #eef1f5;
  --a: #0a5dbd; --b: #087a6c; --c: #a4580a; --d: #6d45b8; --e: #b0305c;
  --good: #0c6b3c; --bad: #ad1f2d; --warn: #8a4b00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1317; --panel: #171c22; --text: #e4e9ef; --quiet: #9ba7b5; --rule: #2a323b; --edge: #6f7c8a;
    --accent: #6db1ff; --on-accent: #0b1826; --code: #212830;
    --a: #6db1ff; --b: #4fd0bd; --c: #f0a75a; --d: #b79bf2; --e: #f58fb0;
    --good: #63d196; --bad: #ff8f96; --warn: #f0b45f;
  }
}
* { box-sizing: border-box; }
html { font: 15px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif; }
body { margin: 0; background: var(--ground); color: var(--text); font-variant-numeric: tabular-nums; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
h1, h2, h3, p, dl, dd, figure { margin: 0; }
a { color: var(--accent); }
code, pre { font: .92em/1.45 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; padding: .5rem 1rem; background: var(--panel); }
.skip:focus { left: 1rem; top: .5rem; z-index: 1; }
.quiet, .note, .scope, .unit, footer { color: var(--quiet); }

header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; padding-top: 1.1rem; padding-bottom: .9rem; }
h1 { font-size: 1.4rem; letter-spacing: -.01em; }
h1 svg { width: 1.35em; height: 1.35em; margin-right: .4rem; vertical-align: -.3em; fill: none; stroke: var(--accent); stroke-width: 2.2;
  stroke-linecap: round; }
h1 circle { fill: var(--accent); stroke: none; }
header > p { color: var(--quiet); }
header b { color: var(--text); font-weight: 600; }
.live { display: flex; align-items: center; gap: .75rem; margin-left: auto; color: var(--quiet); }
#live[data-state]::before { content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .45em; border-radius: 50%;
  background: var(--edge); }
#live[data-state=live]::before { background: var(--good); }
#live[data-state=waiting]::before { background: var(--warn); }

section { margin-bottom: 1.6rem; }
h2 { font-size: 1rem; margin-bottom: .55rem; }
h3 { font-size: .95rem; font-weight: 600; }
.scope { margin: -.3rem 0 .6rem; font-size: .9rem; }

.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: 1px; overflow: hidden;
  background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; }
.facts div { padding: .5rem .8rem .55rem; box-shadow: 0 0 0 1px var(--rule); }
.facts dt { color: var(--quiet); font-size: .82rem; }
.facts dd { overflow-wrap: anywhere; }
.facts .quiet { white-space: nowrap; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .75rem; }
.chart { position: relative; padding: .65rem .8rem .6rem; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px;
  min-width: 0; }
.chart figcaption { display: flex; justify-content: space-between; align-items: baseline; gap: .5rem; }
.chart .value { white-space: nowrap; }
.chart .value b { font-size: 1.35rem; font-weight: 600; letter-spacing: -.01em; }
.chart .top { position: absolute; margin-top: .45rem; color: var(--quiet); font-size: .72rem; }
.chart svg { display: block; width: 100%; height: 72px; margin: .35rem 0; }
.chart path { fill: none; vector-effect: non-scaling-stroke; }
.chart .grid { stroke: var(--rule); }
.chart .line { stroke-width: 1.6; stroke-linejoin: round; }
.chart .area { stroke: none; opacity: .13; }
.a { --ink: var(--a); } .b { --ink: var(--b); } .c { --ink: var(--c); } .d { --ink: var(--d); } .e { --ink: var(--e); }
.chart .line { stroke: var(--ink); } .chart .line.c { stroke-dasharray: 4 2.5; } .chart .area { fill: var(--ink); }
.note { font-size: .85rem; }

details.table { margin-top: .6rem; }
summary { color: var(--quiet); font-size: .9rem; cursor: pointer; width: fit-content; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin-top: .5rem; font-size: .88rem; min-width: 40rem; width: 100%; background: var(--panel); }
th, td { padding: .25rem .8rem; text-align: right; border: 1px solid var(--rule); font-weight: normal; }
thead th { color: var(--quiet); }
th:first-child, td:first-child { text-align: left; }

.tries { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: .75rem; }
.try { padding: .7rem .8rem .8rem; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; min-width: 0; }
.try.wide { grid-column: 1 / -1; }
.try > p { color: var(--quiet); font-size: .9rem; margin: .15rem 0 .55rem; min-height: 2.9em; }
.method { font-size: .72rem; font-weight: 700; letter-spacing: .03em; color: var(--good); }
.method.post { color: var(--warn); }
.fields { display: flex; flex-wrap: wrap; gap: .5rem; align-items: flex-end; }
label { display: grid; gap: .15rem; color: var(--quiet); font-size: .82rem; min-width: 0; flex: 1 1 6rem; }
label.wide { flex: 1 1 11rem; }
input, textarea, button { font: inherit; font-size: .93rem; border-radius: 4px; }
input, textarea { width: 100%; padding: .32rem .5rem; border: 1px solid var(--edge); background: var(--ground); color: var(--text); }
textarea { resize: vertical; font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
input[type=file] { padding: .22rem .3rem; }
button { min-height: 2.15rem; padding: .3rem .95rem; border: 1px solid var(--edge); background: var(--panel); color: var(--accent);
  cursor: pointer; font-weight: 600; }
button:hover { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.buttons { display: flex; gap: .5rem; }
#pause { min-height: 1.9rem; padding: .1rem .7rem; font-weight: 500; }

.result { margin-top: .7rem; border-top: 1px solid var(--rule); padding-top: .55rem; font-size: .9rem; }
.result p { display: flex; flex-wrap: wrap; gap: .1rem .8rem; }
.result .ok { color: var(--good); font-weight: 600; } .result .odd { color: var(--warn); font-weight: 600; }
.result .fail { color: var(--bad); font-weight: 600; }
.result pre { margin: .4rem 0 0; padding: .5rem .6rem; max-height: 16rem; overflow: auto; background: var(--code); border-radius: 4px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.result details { margin-top: .35rem; }
.narrow { max-width: 30rem; margin-bottom: 1rem; }
.try > .problem { margin: 0; min-height: 0; color: var(--bad); }
.problem:not(:empty) { padding-bottom: .5rem; }
footer { padding-bottom: 2rem; font-size: .9rem; }

@media (max-width: 34rem) {
  header, main, footer { padding-left: .8rem; padding-right: .8rem; }
  .live { margin-left: 0; width: 100%; justify-content: space-between; }
  .facts { grid-template-columns: 1fr 1fr; }
  .facts div:first-child { grid-column: 1 / -1; }
  .try > p { min-height: 0; }
  input, textarea, select { font-size: 1rem; }
  button { min-height: 2.5rem; }
}
@media (max-width: 22rem) { .facts { grid-template-columns: 1fr; } }
@media (prefers-contrast: more) { :root { --rule: var(--edge); --quiet: var(--text); } }
@media (prefers-reduced-motion: no-preference) {
  #live[data-state=waiting]::before { animation: breathe 1.6s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: .25; } }
}
@media (forced-colors: active) { .chart .line { stroke: CanvasText; } button { border: 1px solid ButtonText; } }
@media print { .live, section[aria-labelledby=try], footer { display: none; } }
"""#
}
