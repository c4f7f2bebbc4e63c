/** Comments by somebody who would like the page to do something for them. Each sets `window.hacked` if it can. */
export const hostileComments: Readonly<Record<string, string>> = {
  'a script': '<script>window.hacked = 1</script>',
  'a script in SVG': '<svg><script>window.hacked = 1</script></svg>',
  'an event handler': '<img src=x onerror="window.hacked = 1">',
  'an event handler on details':
    '<details open ontoggle="window.hacked = 1"><summary>x</summary></details>',
  'a javascript: link': '[click](javascript:window.hacked=1)',
  'a javascript: link with a tab': '<a href="java&#9;script:window.hacked=1">click</a>',
  'a data: link': '<a href="data:text/html,<script>1</script>">click</a>',
  'an iframe': '<iframe src="/" srcdoc="<script>parent.hacked = 1</script>"></iframe>',
  'an object': '<object data="/"></object><embed src="/">',
  'a forged form':
    '<form action="/acme/digits/pull/1/comments" method="post"><input name="body" value="x"><button data-testid="comment-submit">Comment</button></form>',
  'a forged check':
    '<div data-testid="check" data-conclusion="success" id="check-box" class="check">passed</div>',
  'a style': '<style>body { display: none }</style><p style="position:fixed;inset:0">over all</p>',
  'a base and a redirect':
    '<base href="https://example.com/"><meta http-equiv="refresh" content="0;url=https://example.com/">',
  'an id that shadows': '<a id="comment-body" name="comment-form">x</a><img name="cookie">',
  'an image from elsewhere': '![pixel](https://example.com/pixel.png)',
  'a picture from elsewhere':
    '<picture><source srcset="https://example.com/a.png"><img src="https://example.com/b.png"></picture>',
  'a forged diagram':
    '<div class="diagram" data-diagram="1"><pre class="mermaid">graph TD</pre></div>',
  'an unclosed comment': '<!-- <p>x',
  'a closing tag': '</div></article></main><h1>outside</h1>',
};

/** Diagrams that try the same from inside mermaid. */
export const hostileDiagrams: readonly string[] = [
  'graph TD\n  A["<img src=x onerror=window.hacked=1>"] --> B',
  'graph TD\n  A["<<img src=x onerror=window.hacked=1>>"] --> B',
  'graph TD\n  A["#lt;img src=x onerror=window.hacked=1#gt; &lt;img src=x&gt;"] --> B',
  'graph TD\n  A --> B\n  click A href "javascript:window.hacked=1"\n  click B call hack()',
  'graph TD\n  A --> B\n  click A href "https://example.com/" _self',
  'graph TD\n  A --> B\n  classDef x fill:url(https://example.com/a.png),color:red;} body{display:none\n  class A x',
  '%%{init: {"securityLevel": "loose", "themeCSS": "} body { display: none } a {"}}%%\ngraph TD\n  A["<b onclick=window.hacked=1>x</b>"] --> B',
  '%%{init: {"fontFamily": "x; } body { display: none } a {", "flowchart": {"htmlLabels": true}}}%%\ngraph TD\n  A["<b onclick=window.hacked=1>x</b>"] --> B',
  '---\nconfig:\n  htmlLabels: true\n  secure: []\n---\ngraph TD\n  A["<img src=x onerror=window.hacked=1>"] --> B',
  'sequenceDiagram\n  A->>B: <img src=x onerror=window.hacked=1>',
  'classDiagram\n  class A["<img src=x onerror=window.hacked=1>"]\n  A <|-- B',
  'stateDiagram-v2\n  state "<img src=x onerror=window.hacked=1>" as s\n  [*] --> s',
  'erDiagram\n  "<img src=x onerror=window.hacked=1>" ||--o{ B : "<b onclick=hack()>has</b>"',
  'mindmap\n  root((<img src=x onerror=window.hacked=1>))',
  'journey\n  title <img src=x onerror=window.hacked=1>\n  section A\n    Go: 5: Me',
];

/** What people do draw, and a text that has to be in the picture. */
export const ordinaryDiagrams: readonly (readonly [source: string, text: string])[] = [
  ['xychart-beta\n  x-axis "step" 1 --> 4\n  line [0.9, 0.5, 0.3, 0.1]', 'step'],
  ['graph LR\n  A["built<br/>once"] <--> B{"a < b?"}', 'built'],
  ['sequenceDiagram\n  App->>Vertex AI: create job\n  Vertex AI-->>App: name', 'create job'],
  [
    'classDiagram\n  class Port {\n    <<interface>>\n    create()\n  }\n  Port <|-- Adapter',
    'interface',
  ],
  ['stateDiagram-v2\n  [*] --> queued\n  queued --> running', 'running'],
  ['journey\n  section Morning\n    Train: 5: Me', 'Train'],
  ['pie\n  "train" : 80\n  "test" : 20', 'train'],
];
