package exam

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestWhyNoPageCameIsSaidWithoutTheAddress(t *testing.T) {
	portal := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(portal.Close)
	b := (&examiner{Options: Options{LoginURL: portal.URL}, api: &api{transport: &http.Transport{}}}).newBrowser()
	p := b.open(t.Context(), http.MethodGet, portal.URL+"/callback?code=the-code", nil)
	if p.err == nil || strings.Contains(p.err.Error(), "the-code") {
		t.Errorf("%v", p.err)
	}
}
