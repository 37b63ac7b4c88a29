/// The home page's HTML. `{{name}}` is a place to fill: see ``Template``.
enum HomeMarkup {
    static let page = #"""
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>reactor on {{host}}</title>
<link rel="icon" href="/site.svg" type="image/svg+xml">
<link rel="stylesheet" href="/site.css?{{css}}">
<script src="/site.js?{{js}}" type="module"></script>
</head>
<body data-live="{{live}}">
<a class="skip" href="#try">Skip to the forms</a>
<header>
  <h1><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M20.6 8.5A9.3 9.3 0 1 1 15.5 3.4"/><circle cx="19" cy="5" r="2.6"/>
    <circle cx="12" cy="12" r="3.2"/></svg>reactor</h1>
  <p>{{version}}, architecture <b>{{architecture}}</b></p>
  <div class="live">
    <p id="live" role="status">as of <time datetime="{{now.iso}}">{{now}}</time></p>
    <button id="pause" type="button" aria-pressed="false" hidden>Pause</button>
  </div>
</header>
<main>
<section aria-labelledby="running">
  <h2 id="running">Running</h2>
  <dl class="facts">
    <div><dt>Listening on</dt><dd>{{{listeners}}}</dd></div>
    <div><dt>Architecture</dt><dd>{{architecture}}: {{concurrency}}</dd></div>
    <div><dt>Since</dt><dd><time datetime="{{since.iso}}">{{since}}</time> <span class="quiet" id="uptime">{{uptime}}</span></dd></div>
    <div><dt>Process</dt><dd>{{process}}</dd></div>
    <div><dt>TLS</dt><dd>{{tls}}</dd></div>
    <div><dt>Your connection</dt><dd>{{peer}}</dd></div>
    <div><dt>Requests</dt><dd id="total-requests">{{total.requests}}</dd></div>
    <div><dt>Connections</dt><dd id="total-connections">{{total.connections}}</dd></div>
    <div><dt>Sent</dt><dd id="total-bytes">{{total.bytes}}</dd></div>
    <div><dt>Files</dt><dd>{{files}}</dd></div>
    {{{queue}}}
  </dl>
</section>

<section aria-labelledby="now">
  <h2 id="now">The last two minutes</h2>
  <p class="scope">{{scope}}</p>
  <div class="charts">{{{charts}}}</div>
  <details class="table">
    <summary>The newest ten seconds as a table</summary>
    <div class="scroll"><table>
      <thead><tr><th scope="col">Time (UTC)</th><th scope="col">Requests/s</th><th scope="col">Median</th>
        <th scope="col">99th percentile</th><th scope="col">Connections</th><th scope="col">Loop lag</th>
        <th scope="col">Sent/s</th></tr></thead>
      <tbody id="samples">{{{rows}}}</tbody>
    </table></div>
  </details>
  <noscript><p class="scope">Without JavaScript this page shows the moment it was made: <a href="/">make it anew</a>.</p></noscript>
</section>

<section aria-labelledby="try">
  <h2 id="try" tabindex="-1">Try it</h2>
  <div class="tries">
    <form class="try" action="/plaintext" method="get">
      <h3><span class="method">GET</span> <code>/plaintext</code></h3>
      <p>Thirteen bytes, by the shortest way through the server: what benchmarks ask for.</p>
      <div class="fields"><button>Send</button></div>
    </form>
    <form class="try" action="/plaintext-async" method="get">
      <h3><span class="method">GET</span> <code>/plaintext-async</code></h3>
      <p>The same, from an <code>async</code> handler.</p>
      <div class="fields"><button>Send</button></div>
    </form>
    <form class="try" action="/json" method="get">
      <h3><span class="method">GET</span> <code>/json</code></h3>
      <p>A <code>Codable</code> value, encoded for each request.</p>
      <div class="fields"><button>Send</button></div>
    </form>
    <form class="try" action="/status" method="get" data-path="code">
      <h3><span class="method">GET</span> <code>/status/<i>code</i></code></h3>
      <p>An answer with that status. Errors come as HTML, JSON or text, as <code>Accept</code> asks.</p>
      <div class="fields"><label>Code <input name="code" type="number" min="200" max="599" value="404" required></label>
        <button>Send</button></div>
    </form>
    <form class="try" action="/echo" method="post" enctype="text/plain" data-raw="body">
      <h3><span class="method post">POST</span> <code>/echo</code></h3>
      <p>The body comes back, with its content type.</p>
      <div class="fields"><label class="wide">Body <textarea name="body" rows="2">hello, reactor</textarea></label>
        <button>Send</button></div>
    </form>
    <form class="try" action="/inspect" method="post">
      <h3><span class="method">GET</span> <span class="method post">POST</span> <code>/inspect</code></h3>
      <p>The request as the server read it: method, target, fields in order, length and SHA-256 of the body.</p>
      <div class="fields"><label class="wide">Text <input name="text" value="one &amp; two"></label>
        <span class="buttons"><button formmethod="get">GET</button><button>POST</button></span></div>
    </form>
    <form class="try" action="/upload" method="post" enctype="multipart/form-data">
      <h3><span class="method post">POST</span> <code>/upload</code></h3>
      <p>Files, digested as they come and kept nowhere: name, size and SHA-256 of each.</p>
      <div class="fields"><label class="wide">Files <input name="files" type="file" multiple required></label><button>Send</button></div>
    </form>
    <form class="try" action="/stream" method="get">
      <h3><span class="method">GET</span> <code>/stream?bytes=</code></h3>
      <p>So many bytes, made while they are sent, and only as fast as they are taken.</p>
      <div class="fields"><label>Bytes <input name="bytes" type="number" min="0" max="1073741824" value="1000000" required></label>
        <button>Send</button></div>
    </form>
    <form class="try" action="/sse" method="get">
      <h3><span class="method">GET</span> <code>/sse</code></h3>
      <p>Server-sent events, so many milliseconds apart.</p>
      <div class="fields"><label>Events <input name="count" type="number" min="1" max="1000" value="5" required></label>
        <label>Milliseconds <input name="ms" type="number" min="10" max="10000" value="300" required></label><button>Send</button></div>
    </form>
    <form class="try" action="/slow" method="get">
      <h3><span class="method">GET</span> <code>/slow?ms=</code></h3>
      <p>An answer that is late, while the server goes on with the others.</p>
      <div class="fields"><label>Milliseconds <input name="ms" type="number" min="0" max="10000" value="500" required></label>
        <button>Send</button></div>
    </form>
    <form class="try" action="/block" method="get">
      <h3><span class="method">GET</span> <code>/block?ms=</code> <code>/burn?ms=</code></h3>
      <p>An answer that its handler sleeps for, or works for. On a loop without <code>--offload</code> all others wait; of ten
        <code>/mix</code>, one sleeps and one works for 1 ms.</p>
      <div class="fields"><label>Milliseconds <input name="ms" type="number" min="0" max="1000" value="100" required></label>
        <span class="buttons"><button>Block</button><button formaction="/burn">Burn</button></span></div>
    </form>
    <form class="try" action="/bytes" method="get">
      <h3><span class="method">GET</span> <code>/bytes?n=</code></h3>
      <p>So many bytes out of memory, in numbered lines of 64.</p>
      <div class="fields"><label>Bytes <input name="n" type="number" min="0" max="1048576" value="1024" required></label>
        <button>Send</button></div>
    </form>
    <form class="try" action="/cookies" method="post">
      <h3><span class="method">GET</span> <span class="method post">POST</span> <code>/cookies</code></h3>
      <p>The cookies your browser sends; POST sets one, for an hour.</p>
      <div class="fields"><label>Name <input name="name" value="colour" required pattern="[A-Za-z0-9_\-]{1,32}"></label>
        <label>Value <input name="value" value="blue" maxlength="64"></label>
        <span class="buttons"><button formmethod="get" formnovalidate data-bare>Show</button><button>Set</button></span></div>
    </form>
    <form class="try" action="/login" method="get" data-plain>
      <h3><span class="method">GET</span> <span class="method post">POST</span> <code>/login</code></h3>
      <p>A signed session behind a form: sign in, be greeted, sign out. A page of its own.</p>
      <div class="fields"><button>Open</button></div>
    </form>
  </div>
</section>
</main>
<footer><p>Every form works without JavaScript, and from a terminal: <code>curl {{origin}}/inspect</code>.</p></footer>
</body>
</html>
"""#
    /// One of its charts.
    static let chart = #"""
    <figure class="chart" data-chart="{{name}}">
      <figcaption><h3>{{title}}</h3><p class="value"><b>{{value}}</b> <span class="unit">{{unit}}</span></p></figcaption>
      <p class="top" aria-hidden="true">{{top}}</p>
      <svg viewBox="0 0 240 64" preserveAspectRatio="none" role="img" aria-label="{{label}}">
        <path class="grid" d="M0 .5H240M0 32H240M0 63.5H240"/>
        {{{paths}}}
      </svg>
      <p class="note">{{note}}</p>
    </figure>
"""#
    /// The page's icon.
    static let icon = #"""
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">
<path d="M20.6 8.5A9.3 9.3 0 1 1 15.5 3.4" fill="none" stroke="#3b8eea" stroke-width="2.2" stroke-linecap="round"/>
<circle cx="19" cy="5" r="2.6" fill="#3b8eea"/><circle cx="12" cy="12" r="3.2" fill="#3b8eea"/></svg>
"""#
}
