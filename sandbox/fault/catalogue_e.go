package fault

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

func init() { parts = append(parts, sectionE) }

const (
	// pathPAR is where metadata may say that pushed requests are taken.
	pathPAR = "/par"
	// large bounds what a fault sends too much.
	large = 20 << 20

	algsOfIDTokens = "id_token_signing_alg_values_supported"
	pkceMethods    = "code_challenge_methods_supported"
)

// sectionE: discovery and metadata. Requests for metadata name no client: a fault
// here strikes whoever asks in the world.
var sectionE = []Fault{
	{
		ID: "E01", Name: "discovery-issuer-mismatch", Grade: Must, Seam: SeamDiscovery, Signals: []Signal{NoTokenCall, NoSession},
		Title: Text{"issuer trong siêu dữ liệu không khớp", "The metadata names another issuer"},
		What:  Text{"issuer trong siêu dữ liệu không phải địa chỉ mà cổng đã hỏi.", "The issuer in the metadata is not the one that was asked."},
		Right: Text{"So sánh chính xác với issuer đã cấu hình; khác thì không dùng siêu dữ liệu này.", "Compare it exactly with the configured issuer; do not use metadata that names another."},
		Spec:  []string{"OIDC Discovery §4.3", "RFC 8414 §3.3"},
		Variants: []Variant{
			{"other", Text{"một máy chủ khác", "another server"}}, {"trailing-slash", Text{"thêm dấu / ở cuối", "a slash at the end"}},
			{"case", Text{"chữ hoa trong tên máy (hoặc trong scheme)", "upper case in the host, or the scheme"}},
			{"scheme", Text{"http thay cho https hoặc ngược lại", "http for https, or the other way round"}}, {"port", Text{"cổng khác", "another port"}},
		},
		hooks: hooks{discovery: func(x *Exchange, o *Object) {
			if x.Variant == "other" {
				o.Set("issuer", "https://other-issuer.test")
				return
			}
			o.Set("issuer", nearly(o.String("issuer"), x.Variant))
		}},
	},
	{
		ID: "E02", Name: "discovery-http-endpoints", Grade: Must, Seam: SeamDiscovery, Signals: []Signal{NoTokenCall, NoSession}, Asks: []string{"https"},
		Title: Text{"Điểm cuối không mã hoá", "Endpoints without TLS"},
		What:  Text{"issuer là https nhưng token_endpoint và userinfo_endpoint là http (cần --tls; khi ấy cổng TLS cũng trả lời http).", "The issuer is https, but token_endpoint and userinfo_endpoint are http (needs --tls; the same port then answers http as well)."},
		Right: Text{"Từ chối; không gửi mã, client_secret hay token qua http.", "Refuse; send no code, client_secret or token over http."},
		Spec:  []string{"OIDC Discovery §3", "RFC 9700 §2.6"},
		hooks: hooks{plain: true, discovery: func(x *Exchange, o *Object) {
			for _, name := range []string{"token_endpoint", "userinfo_endpoint"} {
				rest, secure := strings.CutPrefix(o.String(name), "https://")
				if !secure {
					x.Untouched()
					return
				}
				o.Set(name, "http://"+rest)
			}
		}},
	},
	{
		ID: "E05", Name: "discovery-redirect", Grade: Should, Seam: SeamDiscovery, Signals: nobodySigned,
		Title: Text{"Siêu dữ liệu chuyển hướng", "The metadata is elsewhere"},
		What:  Text{"302 tới cùng tài liệu dưới tên máy khác (localhost và 127.0.0.1).", "302 to the same document under another host name (localhost and 127.0.0.1)."},
		Right: Text{"Siêu dữ liệu phải là 200; không đi theo chuyển hướng tới máy khác.", "Metadata is a 200; follow no redirect to another host."},
		Spec:  []string{"OIDC Discovery §4.2", "CWE-918"},
		Skippable: &Text{"OIDC Discovery §4.2 đòi 200 ở câu trả lời cuối, không cấm rõ ràng việc chuyển hướng trước đó; issuer trong tài liệu vẫn phải khớp.",
			"OIDC Discovery §4.2 demands a 200 of the answer and does not plainly forbid a redirect before it; the issuer in the document still has to match."},
		hooks: hooks{on: []Kind{Discovery}, request: func(x *Exchange) {
			to := twin(x.World().Issuer, x.Request.Host)
			if to == "" || x.World().ManyIssuers {
				x.Untouched()
				return
			}
			x.Reply(http.StatusFound, htmlType, brokenPage)
			x.Answer.Header.Set("Location", to+"/.well-known/openid-configuration")
		}},
	},
	{
		ID: "E06", Name: "discovery-huge", Grade: Should, Seam: SeamDiscovery, Signals: withAPage,
		Title: Text{"Siêu dữ liệu khổng lồ hoặc nhỏ giọt", "Metadata that is huge, or drips"},
		What:  Text{"20 MB, mỗi giây một byte, hoặc 20 MB nén trong 20 kB.", "20 MB, a byte a second, or 20 MB compressed into 20 kB."},
		Right: Text{"Giới hạn kích thước sau khi giải nén và thời gian của toàn bộ câu trả lời.", "Bound the size after decompression, and the time of the whole answer."},
		Spec:  []string{"CWE-770", "CWE-409"},
		Variants: []Variant{
			{"large", Text{"20 MB", "of 20 MB"}}, {"drip", Text{"mỗi giây một byte", "a byte a second"}},
			{"gzip-bomb", Text{"20 MB nén (khi cổng nhận gzip)", "20 MB compressed (when the portal takes gzip)"}},
		},
		hooks: hooks{on: []Kind{Discovery}, response: func(x *Exchange) {
			switch {
			case x.Variant == "drip":
				x.Answer.Drip = time.Second
			case x.Variant == "large":
				x.Answer.Padding = large
			case strings.Contains(x.Request.Header.Get("Accept-Encoding"), "gzip"):
				x.Answer.zip(large)
			default:
				x.Untouched()
			}
		}},
	},
	{
		ID: "E07", Name: "discovery-missing-required", Grade: Must, Seam: SeamDiscovery, Signals: withAPage,
		Title: Text{"Siêu dữ liệu thiếu mục bắt buộc", "Metadata without what is required"},
		What:  Text{"Không có token_endpoint, jwks_uri hoặc authorization_endpoint.", "There is no token_endpoint, jwks_uri or authorization_endpoint."},
		Right: Text{"Báo lỗi rõ ràng; không đoán địa chỉ, không bỏ qua việc kiểm tra chữ ký.", "Say clearly what is missing; guess no address, and do not leave out the signature check."},
		Spec:  []string{"OIDC Discovery §3"},
		Variants: []Variant{
			{"token-endpoint", Text{"không có token_endpoint", "no token_endpoint"}}, {"jwks-uri", Text{"không có jwks_uri", "no jwks_uri"}},
			{"authorization-endpoint", Text{"không có authorization_endpoint", "no authorization_endpoint"}},
		},
		hooks: hooks{discovery: func(x *Exchange, o *Object) {
			if !o.Delete(strings.ReplaceAll(x.Variant, "-", "_")) {
				x.Untouched()
			}
		}},
	},
	{
		ID: "E08", Name: "discovery-advertises-weak-algs", Grade: Must, Seam: SeamDiscovery, Signals: unnoticed, Skippable: leftToTLS,
		Title: Text{"Siêu dữ liệu quảng cáo thuật toán yếu", "The metadata offers weak algorithms"},
		What:  Text{"Siêu dữ liệu liệt kê none (hoặc HS256) cho ID token, và ID token dùng đúng như vậy.", "The metadata lists none (or HS256) for ID tokens, and the ID token is made that way."},
		Right: Text{"Danh sách thuật toán của chính cổng có tiếng nói cuối cùng.", "The relying party's own list of algorithms has the last word."},
		Spec:  []string{"RFC 8725 §3.1", "RFC 8725 §3.2"},
		Variants: []Variant{
			{"none", Text{"none, không chữ ký", "none, no signature"}}, {"hs256", Text{"HS256 với khoá công khai làm bí mật", "HS256 with the public key as secret"}},
		},
		hooks: hooks{
			discovery: func(x *Exchange, o *Object) { o.Set(algsOfIDTokens, []string{weakAlg(x.Variant), "RS256"}) },
			idToken: func(x *Exchange, t *JWT) {
				if x.Variant == "hs256" {
					x.byPublicKey(t, "pkix-pem")
					return
				}
				algNone(t)
			},
		},
	},
	{
		ID: "E09", Name: "discovery-drops-s256", Grade: Should, Seam: SeamDiscovery, Signals: forPeople, Asks: []string{"pkce"},
		Title: Text{"Siêu dữ liệu không còn S256", "S256 has left the metadata"},
		What:  Text{"Danh sách phương pháp PKCE biến mất, hoặc chỉ còn plain.", "The list of PKCE methods is gone, or says plain alone."},
		Right: Text{"Vẫn dùng S256, hoặc từ chối; không hạ xuống plain hay bỏ PKCE.", "Go on with S256, or refuse; do not fall back to plain, or to none."},
		Spec:  []string{"RFC 9700 §2.1.1", "RFC 9700 §4.8"},
		Variants: []Variant{
			{"missing", Text{"không có danh sách", "no list"}}, {"plain", Text{"chỉ plain", "plain alone"}},
		},
		hooks: hooks{discovery: func(x *Exchange, o *Object) {
			if x.Variant == "plain" {
				o.Set(pkceMethods, []string{"plain"})
				return
			}
			o.Delete(pkceMethods)
		}},
	},
	{
		ID: "E10", Name: "discovery-advertises-par", Grade: Should, Seam: SeamDiscovery, Signals: withAPage,
		Title: Text{"PAR được quảng cáo mà không chạy", "PAR is offered and down"},
		What:  Text{"Siêu dữ liệu có pushed_authorization_request_endpoint, địa chỉ đó trả 503.", "The metadata has a pushed_authorization_request_endpoint, which answers 503."},
		Right: Text{"Theo chính sách: báo lỗi cho người dùng hoặc dùng yêu cầu thường; không sập.", "As the policy says: tell the person, or send an ordinary request; no crash."},
		Spec:  []string{"RFC 9126 §5", "RFC 9110 §15.6.4"},
		hooks: hooks{
			discovery: func(x *Exchange, o *Object) { o.Set("pushed_authorization_request_endpoint", x.World().Issuer+pathPAR) },
			on:        []Kind{PAR},
			request: func(x *Exchange) {
				x.Reply(http.StatusServiceUnavailable, "application/json", `{"error":"temporarily_unavailable"}`)
				x.Answer.Header.Set("Retry-After", "30")
			},
		},
	},
	{
		ID: "E11", Name: "discovery-cache", Grade: Either, Seam: SeamDiscovery, Signals: []Signal{Fetch},
		Title: Text{"Điểm cuối token chuyển chỗ", "The token endpoint moves"},
		What:  Text{"token_endpoint trong siêu dữ liệu là địa chỉ mới; địa chỉ cũ trả 404.", "The metadata names a new token_endpoint; the old one answers 404."},
		Right: Text{"Tôn trọng Cache-Control và tải lại siêu dữ liệu; đăng nhập sau đó lại được.", "Honour Cache-Control and fetch the metadata again; the next sign-in works."},
		Spec:  []string{"RFC 8414 §3", "RFC 9111 §4.2"},
		hooks: hooks{
			// An endpoint may have a query, which has to be kept (RFC 6749 §3.2).
			discovery: func(_ *Exchange, o *Object) { o.Set("token_endpoint", o.String("token_endpoint")+"?"+moved) },
			on:        []Kind{Token},
			request: func(x *Exchange) {
				if x.Request.URL.RawQuery == moved { // the provider knows it by its old address
					x.Request = x.Request.Clone(x.Ctx())
					x.Request.URL.RawQuery = ""
					x.Untouched()
					return
				}
				x.Reply(http.StatusNotFound, htmlType, brokenPage)
			},
		},
	},
	{
		ID: "E12", Name: "discovery-unknown-members", Grade: Accept, Seam: SeamDiscovery, Signals: mustBeTaken,
		Title: Text{"Siêu dữ liệu có mục lạ", "Metadata with unknown members"},
		What:  Text{"Các mục không ai biết, đủ mọi kiểu JSON.", "Members that nobody knows, of every type of JSON."},
		Right: Text{"Bỏ qua mục lạ, đăng nhập bình thường.", "Ignore what is unknown and sign in as usual."},
		Spec:  []string{"OIDC Discovery §3", "RFC 8414 §2"},
		hooks: hooks{discovery: func(_ *Exchange, o *Object) {
			o.Set("vneid_text", "ệ")
			o.Set("vneid_number", 1.5)
			o.Set("vneid_yes", true)
			o.Set("vneid_nothing", nil)
			o.Set("vneid_list", []any{1, "a", []int{}})
			o.Set("vneid_object", map[string]any{"a": map[string]any{"b": []int{1}}})
		}},
	},
}

// moved is the query of the token endpoint once it has moved.
const moved = "moved=1"

func weakAlg(variant string) string {
	if variant == "hs256" {
		return "HS256"
	}
	return "none"
}

// twin is the issuer under the other name of this machine, "" when it has none
// or host is that name already.
func twin(issuer, host string) string {
	u, err := url.Parse(issuer)
	if err != nil || u.Host != host {
		return ""
	}
	other := map[string]string{"localhost": "127.0.0.1", "127.0.0.1": "localhost"}[u.Hostname()]
	if other == "" {
		return ""
	}
	u.Host = strings.Replace(u.Host, u.Hostname(), other, 1)
	return u.String()
}
