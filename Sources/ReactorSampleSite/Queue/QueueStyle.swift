/// What the queue's page has beside the home page's style.
enum QueueStyle {
    static let css = #"""

.queue h1 a { color: inherit; text-decoration: none; }
.queue main > .problem:empty { display: none; }
.queue main > .problem { padding: .6rem .8rem; margin-bottom: 1rem; color: var(--bad); background: var(--panel);
  border: 1px solid var(--bad); border-radius: 6px; overflow-wrap: anywhere; }
.queue table { margin: 0; }
.queue tbody th { overflow-wrap: anywhere; min-width: 9rem; }
.queue td, .queue thead th { white-space: nowrap; }
.ends { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 .75rem; }
.ends section { min-width: 0; }
.messages { list-style: none; margin: 0; padding: 0; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; }
.messages li { padding: .55rem .8rem .6rem; overflow-wrap: anywhere; font-size: .92rem; }
.messages li + li { border-top: 1px solid var(--rule); }
.messages .what { display: flex; flex-wrap: wrap; gap: 0 .7rem; align-items: baseline; color: var(--quiet); }
.messages .what code { color: var(--text); }
.messages bdi { font-weight: 500; }
.messages q { display: block; padding-left: .8rem; margin-left: .1rem; border-left: 2px solid var(--rule); color: var(--quiet);
  font-size: .95em; quotes: none; }
.state { font-weight: 600; color: var(--good); }
.state.held { color: var(--warn); } .messages .failed, .messages .quarantined { color: var(--bad); }
"""#
}
