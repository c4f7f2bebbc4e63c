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
  'graph TD\n  A --> B\n  click A href "javascript:window.hacked=1"\n  click B call hack()',
  '%%{init: {"securityLevel": "loose", "themeCSS": "} body { display: none } a {"}}%%\ngraph TD\n  A["<b onclick=window.hacked=1>x</b>"] --> B',
];
