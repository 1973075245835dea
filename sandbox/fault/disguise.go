package fault

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Codes that look odd outside: what a relying party sends back is turned into
// the provider's own code before the provider sees it.
type disguises struct {
	mu    sync.Mutex
	codes map[string]string // world and odd code → code
}

// mostDisguised bounds them; the oldest sign-ins then fail, which took longer
// than a code lives.
const mostDisguised = 1000

// oddTail is what RFC 6749 Appendix A.11 allows in a code and encodings disagree
// about.
const oddTail = "+/=.~%20%2B&x=1;'"

func (e *Engine) disguise(world, code string) string {
	odd := code + oddTail
	odd += strings.Repeat("Aa+/", (1500-len(odd))/4+1)
	odd = odd[:1500]
	e.disguised.mu.Lock()
	defer e.disguised.mu.Unlock()
	if e.disguised.codes == nil || len(e.disguised.codes) >= mostDisguised {
		e.disguised.codes = map[string]string{}
	}
	e.disguised.codes[world+" "+odd] = code
	return odd
}

// undisguise gives a token request the provider's own code.
func (e *Engine) undisguise(x *Exchange) {
	if x.Kind != Token {
		return
	}
	e.disguised.mu.Lock()
	code := e.disguised.codes[x.World().ID+" "+x.Form.Get("code")]
	e.disguised.mu.Unlock()
	if code == "" {
		return
	}
	x.Form.Set("code", code)
	body := []byte(x.Form.Encode())
	again := x.Request.Clone(x.Ctx())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	again.Header.Set("Content-Length", strconv.Itoa(len(body)))
	again.Method = http.MethodPost
	x.Request = again
}
