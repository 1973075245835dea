package fault

import (
	"crypto/tls"
	"net/http"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Certificates stands before the choice of a listener's certificate: wrong makes
// one that is wrong in a way named by the variant. A handshake names neither
// client nor world: what is armed in the default one strikes whoever connects
// anew, and other worlds have no say about the listener.
func (e *Engine) Certificates(honest func(*tls.ClientHelloInfo) (*tls.Certificate, error), wrong func(how string) (*tls.Certificate, error)) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		b := e.board(vneid.DefaultWorld)
		if b == nil {
			return honest(hello)
		}
		how := b.certificate(hello)
		if how == "" {
			return honest(hello)
		}
		e.log.InfoContext(hello.Context(), "fault served", "certificate", how)
		return wrong(how)
	}
}

// certificate is how the certificate of a connection is to be wrong, "" = not.
func (b *board) certificate(hello *tls.ClientHelloInfo) string {
	ctx := vneid.WithWorld(hello.Context(), &vneid.World{})
	x := &Exchange{Kind: Discovery, Request: (&http.Request{}).WithContext(ctx)} // as nameless as that
	for _, s := range b.candidates(x) {
		if s.fault.hooks.certificate && b.draw(s, x) {
			return s.variant()
		}
	}
	return ""
}
