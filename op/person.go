package op

import (
	"io"
	"net/http"

	"github.com/vneid-sandbox/vneid-sandbox/op/login"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
)

// What the claims profile and picture lead to: one page and one drawing for
// everybody, so that they tell nothing about anybody.

func (p *Provider) person(w http.ResponseWriter, r *http.Request) {
	f := p.pages.Frame(w, r)
	v := templates.MessageView{Frame: f, Kind: "info", Title: f.T("person.title"), What: f.T("person.what"), Why: f.T("person.why"), Status: http.StatusOK,
		Links: []templates.Link{{Text: f.T("person.picture"), URL: login.BasePath(r) + pathPicture}}}
	if err := p.pages.Render(w, r, http.StatusOK, v); err != nil {
		p.pages.Fail(w, r, err)
	}
}

const silhouette = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="192" height="192" role="img">` +
	`<title>VNeID Sandbox: người thử nghiệm / test person</title><rect width="96" height="96" fill="#dde3ea"/>` +
	`<g fill="#5b6b7d"><circle cx="48" cy="37" r="17"/><path d="M14 96a34 34 0 0 1 68 0z"/></g></svg>`

func (p *Provider) picture(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=86400")
	io.WriteString(w, silhouette) // a browser that left needs no picture
}
