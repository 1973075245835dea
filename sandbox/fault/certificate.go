package fault

import (
	"crypto/tls"
	"net/http"
	"slices"

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

// Plain says whether a listener of TLS is to answer http as well: in some world
// a fault is armed that lures relying parties there, or was until it had struck
// as often as it was told.
func (e *Engine) Plain() (plain bool) {
	if e.count.Load() == 0 {
		return false
	}
	e.boards.Range(func(_, v any) bool {
		b := v.(*board)
		b.mu.Lock()
		defer b.mu.Unlock()
		plain = slices.ContainsFunc(b.list, func(s *striker) bool { return s.fault.hooks.plain })
		return !plain
	})
	return plain
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
