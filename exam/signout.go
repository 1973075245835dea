package exam

import (
	"context"
	"net/http"
	"net/url"
)

// examineSignOut tries a fault of the way back from the provider's logout.
func (e *examiner) examineSignOut(ctx context.Context, c chosen, f Finding) Finding {
	if e.LogoutURL == "" {
		return f.inconclusive("không có --logout-url", "no --logout-url was given")
	}
	b := e.newBrowser()
	ev := e.signIn(ctx, b)
	if !ev.needle {
		return f.inconclusive("đăng nhập trước đó không thành", "the sign-in before failed")
	}
	if err := e.arm(ctx, c); err != nil {
		return f.broken(err)
	}
	begun := e.now()
	p := b.open(ctx, http.MethodPost, e.LogoutURL, url.Values{})
	if p.status == http.StatusMethodNotAllowed || p.status == http.StatusNotFound {
		p = b.open(ctx, http.MethodGet, e.LogoutURL, nil)
	}
	left, err := e.left(ctx)
	e.disarm(ctx)
	if err != nil {
		return f.broken(err)
	}
	ev.took = e.now().Sub(begun)
	ev.end(p)
	ev.authorizeHits, ev.err = 1, p.err
	e.look(ctx, b, ev)
	e.describe(ev, &f)
	if left == manyTimes {
		return f.inconclusive("đăng xuất không tới nhà cung cấp", "the sign-out did not reach the provider")
	}
	switch {
	case c.fault.has("logged_out") && ev.needle:
		f.against("phiên ở cổng vẫn còn", "the portal's session is still there")
	case c.fault.has("no_retry") && (ev.status == 0 || ev.status == http.StatusInternalServerError):
		f.against("không có trang nào dễ hiểu", "no page came that helps")
	default:
		f.set(Pass, "Cổng làm đúng.", "It does what is right.")
	}
	return f
}
