/// The HTML of the queue's page. `{{name}}` is a place to fill: see ``Template``.
enum QueueMarkup {
    static let page = #"""
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>mail queue on {{host}}</title>
<link rel="icon" href="/site.svg" type="image/svg+xml">
<link rel="stylesheet" href="/site.css?{{css}}">
<script src="/queue.js?{{js}}" type="module"></script>
</head>
<body class="queue" data-live="{{live}}">
<a class="skip" href="#oldest">Skip to the messages</a>
<header>
  <h1><a href="/"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M20.6 8.5A9.3 9.3 0 1 1 15.5 3.4"/><circle cx="19" cy="5" r="2.6"/>
    <circle cx="12" cy="12" r="3.2"/></svg>reactor</a></h1>
  <p>mail queue</p>
  <div class="live">
    <p id="live" role="status">as of <time datetime="{{now.iso}}">{{now}}</time></p>
    <button id="pause" type="button" aria-pressed="false" hidden>Pause</button>
  </div>
</header>
<main>
<p id="problem" class="problem" role="alert">{{problem}}</p>
<noscript><p class="scope">Without JavaScript this page shows the moment it was made: <a href="/queue">make it anew</a>.</p></noscript>
<section aria-labelledby="counts">
  <h2 id="counts">The queue</h2>
  <dl class="facts" data-part="facts">{{{facts}}}</dl>
</section>
<section aria-labelledby="destinations">
  <h2 id="destinations">Destinations</h2>
  <p class="scope" data-part="scope">{{{scope}}}</p>
  <div class="scroll" role="region" aria-labelledby="destinations" tabindex="0">
    <table data-part="destinations">{{{destinations}}}</table></div>
</section>
<div class="ends">
<section aria-labelledby="oldest">
  <h2 id="oldest" tabindex="-1">The oldest messages</h2>
  <ol class="messages" data-part="oldest">{{{oldest}}}</ol>
</section>
<section aria-labelledby="newest">
  <h2 id="newest">The newest messages</h2>
  <ol class="messages" data-part="newest">{{{newest}}}</ol>
</section>
</div>
</main>
<footer><p>From a terminal: <code>reactor queue list</code>, <code>stats</code>, <code>show</code>, <code>retry</code>,
  <code>hold</code>, <code>release</code> and <code>delete</code>. This page changes nothing.</p></footer>
</body>
</html>
"""#
    static let message = #"""
<li>
<p class="what"><code>{{id}}</code> <b class="state {{state}}">{{state}}</b>
<span><time datetime="{{received.iso}}">{{received}}</time> ago</span> <span>{{size}}</span>{{{attempts}}}</p>
<p>from <bdi>{{sender}}</bdi></p>
{{{recipients}}}</li>
"""#
    static let recipient = #"<p>to <bdi>{{address}}</bdi> <span class="quiet {{state}}">{{state}}</span>{{{reply}}}</p>"#
}
