package sandbox

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/sms"
	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// pages serves what people see of the sandbox.
type pages struct {
	log                         *slog.Logger
	store                       vneid.Store
	inbox                       *sms.Network
	issuer, sandboxURL, version string
	portal                      string // where the sample portal is, "" = unknown
}

// routes of the sandbox listener that are pages.
func (p *pages) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /sms", p.smsInbox)
	mux.Handle("/assets/", templates.Assets())
	mux.HandleFunc("/", p.nothingHere)
}

// mostListed bounds the table of people on the landing page.
const mostListed = 100

func (p *pages) home(w http.ResponseWriter, r *http.Request) {
	v := templates.HomeView{Frame: p.frame(w, r), Issuer: p.issuer, SandboxURL: p.sandboxURL,
		PortalHint: p.portal, Password: people.Password, Version: p.version}
	v.HomeURL = "" // this is it
	err := p.store.View(r.Context(), vneid.WorldFrom(r.Context()).ID, func(tx vneid.Tx) error {
		accounts, err := tx.Accounts("", mostListed)
		v.Personas = nil
		for _, a := range accounts {
			v.Personas = append(v.Personas, templates.PersonaRow{CCCD: string(a.CCCD), Name: a.Name, Phone: string(a.Phone), Note: a.Note})
		}
		return err
	})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, v)
}

func (p *pages) smsInbox(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	v, err := p.inbox.View(r.Context(), p.frame(w, r), to[:min(len(to), 40)])
	if err != nil {
		p.fail(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, v)
}

func (p *pages) nothingHere(w http.ResponseWriter, r *http.Request) {
	status, code := http.StatusNotFound, "not_found"
	if r.URL.Path == "/" || r.URL.Path == "/sms" {
		status, code = http.StatusMethodNotAllowed, "method_not_allowed"
		w.Header().Set("Allow", "GET, HEAD")
	}
	v := templates.Problem(p.frame(w, r), code)
	v.Status = status
	p.show(w, r, status, v)
}

// fail shows that we failed; the log says why.
func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	p.log.ErrorContext(r.Context(), "page failed", "request_id", r.Header.Get(requestID), "error", err)
	v := templates.Problem(p.frame(w, r), "internal")
	v.Status, v.RequestID = http.StatusInternalServerError, r.Header.Get(requestID)
	p.show(w, r, v.Status, v)
}

const langCookie = "console_default_lang"

// frame is the frame of a page in the language that was chosen: by ?lang=,
// which is remembered, or before.
func (p *pages) frame(w http.ResponseWriter, r *http.Request) templates.Frame {
	f := templates.Frame{Lang: templates.Vi, HomeURL: "/"}
	if c, err := r.Cookie(langCookie); err == nil {
		f.Lang, _ = templates.ParseLang(c.Value)
	}
	query := r.URL.Query()
	if lang, ok := templates.ParseLang(query.Get("lang")); ok {
		f.Lang = lang
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: string(lang), Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	if isRead(r) {
		other := url.Values{"lang": {string(templates.En)}}
		if f.Lang == templates.En {
			other.Set("lang", string(templates.Vi))
		}
		if to := query.Get("to"); to != "" {
			other.Set("to", to)
		}
		f.SwitchURL = "?" + other.Encode()
	}
	return f
}

// show renders before it sends.
func (p *pages) show(w http.ResponseWriter, r *http.Request, status int, v templates.View) {
	html, err := templates.Render(v)
	if err != nil {
		p.log.ErrorContext(r.Context(), "render a page", "request_id", r.Header.Get(requestID), "error", err)
		http.Error(w, "Lỗi nội bộ. / Internal error.", http.StatusInternalServerError)
		return
	}
	sendPage(w, status, html)
}

func sendPage(w http.ResponseWriter, status int, html []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(html)))
	h.Set("Content-Security-Policy", templates.CSP())
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(html)
}

// both picks one of two texts by the language of a page.
func both(f templates.Frame, vi, en string) string {
	if f.Lang == templates.En {
		return en
	}
	return vi
}

// refusalPage is the page of a refusal of the guard.
func refusalPage(f templates.Frame, code string) templates.MessageView {
	v := templates.MessageView{Frame: f, Kind: "error"}
	switch code {
	case "not_local":
		v.Title = both(f, "Chỉ máy này được phép truy cập", "Only this machine may open this page")
		v.What = both(f, "Trang này chỉ mở được từ chính máy đang chạy bộ thử nghiệm, qua địa chỉ localhost.",
			"This page opens only on the machine that runs the sandbox, at its localhost address.")
		v.Why = both(f, "Ai đọc được hộp thư SMS thì có thể đăng nhập thay bất kỳ người thử nào.",
			"Whoever reads the SMS inbox can sign in as any of the test people.")
		v.Next = both(f, "Hãy mở địa chỉ localhost trên máy đó. Để dùng từ máy khác, hãy khởi động với biến môi trường VNEID_SANDBOX_TOKEN.",
			"Open the localhost address on that machine. To use it from others, start the sandbox with VNEID_SANDBOX_TOKEN set.")
	case "proxied":
		v.Title = both(f, "Yêu cầu đi qua máy chủ trung gian", "The request came through a proxy")
		v.What = both(f, "Yêu cầu được chuyển tiếp qua proxy nên không biết đến từ đâu, vì vậy bị từ chối.",
			"A proxy forwarded the request, so nobody knows where it comes from; it was refused.")
		v.Why = both(f, "Khi không có mã truy cập, chỉ những yêu cầu trực tiếp từ chính máy này được chấp nhận.",
			"Without a token only direct requests from this machine are accepted.")
		v.Next = both(f, "Hãy mở trực tiếp địa chỉ localhost, hoặc khởi động với biến môi trường VNEID_SANDBOX_TOKEN.",
			"Open the localhost address directly, or start the sandbox with VNEID_SANDBOX_TOKEN set.")
	case "other_site":
		v.Title = both(f, "Bạn đến từ một trang khác", "You came from another site")
		v.What = both(f, "Một trang web khác đã đưa trình duyệt đến đây, nên trang chưa được mở.",
			"Another web page sent your browser here, so the page was not opened yet.")
		v.Why = both(f, "Như vậy không trang web lạ nào có thể dùng hộp thư SMS hay API của bộ thử nghiệm sau lưng bạn.",
			"So no foreign web page can use the SMS inbox or the API behind your back.")
		v.Next = both(f, "Nếu chính bạn muốn mở, hãy dùng nút bên dưới hoặc vào từ trang chủ của bộ thử nghiệm.",
			"If you wanted this, use the button below or start from the sandbox's home page.")
	default:
		return templates.Problem(f, code)
	}
	return v
}
