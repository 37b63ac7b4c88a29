/// Chromium as a visitor of the home page: a program in Python, which needs nothing but its own library.
enum HomeBrowser {
    /// Its arguments are the architecture, the page's address, and a file to upload. It prints `seen` if all is well, else what
    /// it missed.
    static let program = driver + checks + scenario

    /// The DevTools protocol over two pipes, so that nothing listens, and the browser ends with whoever drives it.
    static let driver = #"""
import hashlib, json, os, select, shutil, signal, subprocess, sys, tempfile, time

class Failure(Exception): pass

class Browser:
    """Chromium, driven by the DevTools protocol over two pipes; and its profile, gone at the end."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="reactor-browser-")
        (browser_in, self.to), (self.frm, browser_out) = os.pipe(), os.pipe()
        def place():
            # Chromium reads commands from 3 and writes to 4. High copies first, so that none is overwritten.
            a, b = os.dup(browser_in), os.dup(browser_out)
            os.dup2(a, 3); os.dup2(b, 4)
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-extensions", "--hide-scrollbars", "--remote-debugging-pipe",
             "--user-data-dir=" + self.profile],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=place, start_new_session=True)
        os.close(browser_in); os.close(browser_out)
        self.pending, self.number, self.events = b"", 0, []

    def __enter__(self): return self

    def __exit__(self, *_):
        try: os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError: pass
        self.process.wait()
        for _ in range(100):
            # Its children end a moment later.
            try: os.killpg(self.process.pid, 0)
            except ProcessLookupError: break
            time.sleep(0.05)
        for _ in range(50):
            shutil.rmtree(self.profile, ignore_errors=True)
            if not os.path.exists(self.profile): break
            time.sleep(0.1)

    def read(self, deadline):
        while b"\0" not in self.pending:
            ready, _, _ = select.select([self.frm], [], [], max(0, deadline - time.monotonic()))
            if not ready: return None
            more = os.read(self.frm, 1 << 20)
            if not more: raise Failure("the browser ended")
            self.pending += more
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, timeout=60, **parameters):
        self.number += 1
        mine = {"id": self.number, "method": method, "params": parameters}
        if session: mine["sessionId"] = session
        os.write(self.to, json.dumps(mine).encode() + b"\0")
        deadline = time.monotonic() + timeout
        while True:
            message = self.read(deadline)
            if message is None: raise Failure(f"the browser does not answer {method}")
            if message.get("id") == mine["id"]:
                if "error" in message: raise Failure(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def page(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        return Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])

class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        for domain in ["Page", "Runtime", "Log", "Network", "DOM"]: self.call(domain + ".enable")

    def call(self, method, **parameters): return self.browser.call(method, self.session, **parameters)

    def go(self, url): self.call("Page.navigate", url=url)

    def value(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer: raise Failure(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, script, what, seconds=60):
        """Waits until a script's value is true."""
        deadline = time.monotonic() + seconds
        while True:
            try: value, problem = self.value(script), None
            # The page may be on its way.
            except Failure as failure: value, problem = None, failure
            if value: return value
            if time.monotonic() > deadline: raise Failure(f"never came: {what} ({problem})")
            time.sleep(0.1)

    def complaints(self):
        """What the browser logged and scripts threw, policy violations among them."""
        self.value("1")
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session: continue
            if event["method"] == "Runtime.exceptionThrown": found.append(str(event["params"]["exceptionDetails"]))
            if event["method"] == "Runtime.consoleAPICalled": found.append(str(event["params"]["args"]))
            if event["method"] == "Log.entryAdded": found.append(str(event["params"]["entry"]))
        return found


"""#

    /// What holds for every page.
    static let checks = #"""
def contrast(page):
    """What has too little contrast for WCAG 2.2 AA: text 4.5 to 1."""
    return page.value(r"""(() => {
        const parse = text => text.match(/[\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
        const ground = node => {
            for (; node; node = node.parentElement) {
                const color = parse(getComputedStyle(node).backgroundColor);
                if (color.length < 4 || color[3] > 0) return color;
            }
            return [255, 255, 255];
        };
        const weak = [];
        for (const node of document.body.querySelectorAll("*")) {
            const own = [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
            if (!own && !["INPUT", "TEXTAREA"].includes(node.tagName) || !node.getClientRects().length || node.closest("noscript")) continue;
            const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))];
            const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
            if (ratio < 4.5) weak.push(`${node.tagName} ${node.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
        }
        return weak;
    })()""")

def unnamed(page):
    """Controls and pictures that a screen reader has no name for."""
    found = []
    for node in page.call("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value")
        if role in ["button", "textbox", "spinbutton", "image", "img", "link", "DisclosureTriangle"] and not node.get("ignored"):
            if not node.get("name", {}).get("value"): found.append(str(node))
    return found

def expect(condition, what):
    if not condition: raise Failure(f"expected {what}")

def fits(page):
    """Both schemes have contrast, everything a name, and nothing scrolls sideways on a phone."""
    for scheme in ["light", "dark"]:
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        expect(page.value(f"matchMedia('(prefers-color-scheme: {scheme})').matches"), scheme)
        expect(not (weak := contrast(page)), f"contrast in {scheme}: {weak}")
    expect(not (found := unnamed(page)), f"names: {found}")
    page.call("Emulation.setDeviceMetricsOverride", width=360, height=700, deviceScaleFactor=1, mobile=False)
    expect(page.value("document.documentElement.scrollWidth") == 360, "no sideways scrolling at 360 pixels")


"""#

    private static let scenario = #"""
def form(page, action, press="button:not([formmethod])"):
    """Submits a form, and gives what it shows: the status line, and the body."""
    place = f"document.querySelector('form[action=\"{action}\"]')"
    page.value(f"{place}.querySelector('{press}').click()")
    page.until(f"{place}.querySelector('.result .ok') && !{place}.stopping", f"an answer of {action}")
    return page.value(f"{place}.querySelector('.result p').textContent"), page.value(f"{place}.querySelector('.result > pre').textContent")

def with_scripts(browser, base, upload):
    page = browser.page()
    page.go(base + "/")
    page.until("document.querySelector('#live').dataset.state === 'live'", "live charts")
    first = int(page.value("document.body.dataset.second"))
    page.until(f"Number(document.body.dataset.second) > {first} + 1", "two more samples")
    for chart in ["requests", "connections"]:
        expect("L" in page.value(f"document.querySelector('[data-chart={chart}] .line').getAttribute('d')"), f"a line of {chart}")
    expect(page.value("Number(document.querySelector('[data-chart=connections] b').textContent) >= 1"), "an open connection")
    if ARCHITECTURE == "reactor":
        expect("L" in page.value("document.querySelector('[data-chart=lag] .line').getAttribute('d')"), "a line of the lag")
    else:
        expect("not measured" in page.value("document.querySelector('[data-chart=lag] .note').textContent"), "no lag measured")
    before = page.value("document.querySelector('#total-requests').textContent")
    status, body = form(page, "/echo")
    expect(status.startswith("200 OK") and body == "hello, reactor", f"the echo, not {status} {body}")
    page.until(f"document.querySelector('#total-requests').textContent !== '{before}'", "the echo counted")
    status, body = form(page, "/json")
    expect(json.loads(body) == {"message": "Hello, World!"}, f"JSON, not {body}")
    expect("content-type: application/json" in page.value("document.querySelector('form[action=\"/json\"] details pre').textContent"),
           "the answer's fields")
    _, body = form(page, "/inspect")
    expect(json.loads(body)["body"]["length"] == len("text=one+%26+two"), f"the body's length, not {body}")
    _, body = form(page, "/inspect", "button[formmethod=get]")
    expect(json.loads(body)["target"] == "/inspect?text=one+%26+two", f"the target, not {body}")
    page.value("document.querySelector('[name=code]').value = 202")
    status, _ = form(page, "/status")
    expect(status.startswith("202"), f"202, not {status}")
    page.value("document.querySelector('[name=count]').value = 3; document.querySelector('form[action=\"/sse\"] [name=ms]').value = 20")
    _, body = form(page, "/sse")
    expect("data: event 3 of 3" in body, f"three events, not {body}")
    status, body = form(page, "/stream")
    expect("976.6 KiB" in status and len(body) == 20000, f"a megabyte, not {status}")
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    field = page.call("DOM.querySelector", nodeId=root, selector="input[type=file]")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=field, files=[upload])
    _, body = form(page, "/upload")
    content = open(upload, "rb").read()
    part = json.loads(body)[0]
    expect(part["size"] == len(content) and part["sha256"] == hashlib.sha256(content).hexdigest(), f"the file's digest, not {body}")
    form(page, "/cookies")
    _, body = form(page, "/cookies", "button[formmethod=get]")
    expect({"name": "colour", "value": "blue"} in json.loads(body)["cookies"], f"the cookie, not {body}")
    page.value("document.querySelector('details.table summary').click()")
    page.until("document.querySelectorAll('#samples tr').length > 1", "rows of the table")
    fits(page)
    page.value("document.querySelector('#pause').click()")
    expect(page.value("document.querySelector('#live').textContent") == "paused", "a pause")
    page.value("document.querySelector('#pause').click()")
    page.until("document.querySelector('#live').dataset.state === 'live'", "live again")
    expect(not (found := page.complaints()), f"no complaints: {found}")
    # The policy holds, and the browser's complaints are heard.
    page.value("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.injected = 1' }))")
    expect(page.value("window.injected") is None, "no injected script")
    expect(any("Content Security Policy" in text for text in page.complaints()), "a complaint about an injected script")
    page.go("about:blank")

def without_scripts(browser, base):
    page = browser.page()
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.go(base + "/")
    page.until("document.readyState === 'complete' && !!document.querySelector('noscript a')", "the page without scripts")
    expect("L" in page.value("document.querySelector('[data-chart=connections] .line').getAttribute('d')"), "a line drawn by the server")
    expect(page.value("document.querySelectorAll('#samples tr').length") > 0, "rows of the table")
    expect(page.value("document.querySelector('#pause').hidden"), "no button without its script")
    page.value("document.querySelector('form[action=\"/echo\"] button').click()")
    page.until("location.pathname === '/echo' && document.body.textContent.includes('body=hello, reactor')", "the echo as a page")
    page.go(base + "/")
    page.until("location.pathname === '/' && !!document.querySelector('form[action=\"/status\"] button')", "the home page")
    page.value("document.querySelector('[name=code]').value = 403; document.querySelector('form[action=\"/status\"] button').click()")
    page.until("location.pathname.startsWith('/status') && document.body.textContent.includes('403 Forbidden')", "the status as a page")
    page.go(base + "/login")
    page.until("!!document.querySelector('[name=password]')", "the form to sign in")
    page.value("document.querySelector('[name=name]').value = 'Ada <3'; document.querySelector('[name=password]').value = 'wrong'")
    page.value("document.querySelector('form button').click()")
    page.until("!!document.querySelector('.problem')?.textContent", "a refusal")
    page.value("document.querySelector('[name=name]').value = 'Ada <3'; document.querySelector('[name=password]').value = 'reactor'")
    page.value("document.querySelector('form button').click()")
    page.until("document.querySelector('h2')?.textContent === 'Hello, Ada <3'", "a greeting")
    page.value("document.querySelector('form button').click()")
    page.until("!!document.querySelector('[name=password]')", "the form again")

ARCHITECTURE, base, upload = sys.argv[1:4]
with Browser() as browser:
    with_scripts(browser, base, upload)
    if ARCHITECTURE == "reactor": without_scripts(browser, base)
print("seen")

"""#
}
