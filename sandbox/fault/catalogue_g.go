package fault

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func init() { parts = append(parts, sectionG) }

// A wrong logout token is refused with 400, and nobody is signed out by it.
var refuseLogout = []Signal{LogoutStatus, KeepsSession}

const backChannelLogout = "backchannel_logout_uri"

// sectionG: logout and session.
var sectionG = []Fault{
	{
		ID: "G01", Name: "logout-token-alg-none", Grade: Must, Seam: SeamLogout, Signals: refuseLogout, Asks: []string{backChannelLogout},
		Title: Text{"Logout token không ký", "Logout token that is not signed"},
		What:  Text{"alg none, phần chữ ký rỗng.", "alg none, the signature empty."},
		Right: Text{"Trả 400: logout token luôn phải được ký.", "Answer 400: a logout token is always signed."},
		Spec:  []string{"OIDC Back-Channel Logout §2.6"},
		hooks: hooks{logout: func(_ *Exchange, t *JWT) {
			t.Header.Set("alg", "none")
			t.Header.Delete("kid")
			t.Sign = func([]byte) []byte { return nil }
		}},
	},
	{
		ID: "G02", Name: "logout-token-wrong-alg", Grade: Must, Seam: SeamLogout, Signals: refuseLogout, Asks: []string{backChannelLogout},
		Title: Text{"Logout token ký bằng thuật toán khác", "Logout token by another algorithm"},
		What:  Text{"Ký bằng HS256 với một bí mật bất kỳ, hoặc bằng khóa lạ.", "Signed by HS256 with some secret, or by a foreign key."},
		Right: Text{"Chỉ nhận thuật toán đã đăng ký cho ID token và khóa trong JWKS.", "Take only the algorithm registered for ID tokens, and keys of the JWKS."},
		Spec:  []string{"OIDC Back-Channel Logout §2.6 (2)", "RFC 8725 §3.1"},
		Variants: []Variant{
			{"hs256", Text{"HS256 với bí mật đoán được", "HS256 with a secret that can be guessed"}},
			{"foreign-key", Text{"RS256 bằng khóa không có trong JWKS", "RS256 by a key that is not in the JWKS"}},
		},
		hooks: hooks{logout: func(x *Exchange, t *JWT) {
			if x.Variant == "foreign-key" {
				t.Header.Set("alg", "RS256")
				t.Sign = signForeign
				return
			}
			t.Header.Set("alg", "HS256")
			t.Header.Delete("kid")
			t.Sign = func(input []byte) []byte {
				mac := hmac.New(sha256.New, []byte("secret"))
				mac.Write(input)
				return mac.Sum(nil)
			}
		}},
	},
	{
		ID: "G03", Name: "logout-token-wrong-iss-aud", Grade: Must, Seam: SeamLogout, Signals: refuseLogout, Asks: []string{backChannelLogout},
		Title: Text{"Logout token sai iss hoặc aud", "Logout token with a wrong iss or aud"},
		What:  Text{"iss hoặc aud là của nơi khác, chữ ký vẫn đúng.", "iss or aud is somebody else's; the signature is right."},
		Right: Text{"Kiểm tra iss và aud như với ID token, sai thì trả 400.", "Check iss and aud as for an ID token; 400 when they are wrong."},
		Spec:  []string{"OIDC Back-Channel Logout §2.6 (3)"},
		Variants: []Variant{
			{"iss", Text{"iss khác", "another iss"}}, {"aud", Text{"aud khác", "another aud"}},
		},
		hooks: hooks{logout: func(x *Exchange, t *JWT) {
			if x.Variant == "aud" {
				t.Claims.Set("aud", "another-client")
				return
			}
			t.Claims.Set("iss", "https://other-issuer.test")
		}},
	},
	{
		ID: "G04", Name: "logout-token-events", Grade: Must, Seam: SeamLogout, Signals: refuseLogout, Asks: []string{backChannelLogout},
		Title: Text{"Logout token không có sự kiện đăng xuất", "Logout token without the logout event"},
		What:  Text{"Thiếu events, hoặc events nói chuyện khác.", "events is missing, or says something else."},
		Right: Text{"Đòi events có http://schemas.openid.net/event/backchannel-logout là một đối tượng.", "Demand events with http://schemas.openid.net/event/backchannel-logout as an object."},
		Spec:  []string{"OIDC Back-Channel Logout §2.4", "OIDC Back-Channel Logout §2.6 (5)"},
		Variants: []Variant{
			{"missing", Text{"không có events", "no events"}}, {"other", Text{"sự kiện khác", "another event"}}, {"array", Text{"events là mảng", "events as an array"}},
		},
		hooks: hooks{logout: func(x *Exchange, t *JWT) {
			switch x.Variant {
			case "other":
				t.Claims.Set("events", map[string]any{"http://schemas.openid.net/event/something-else": struct{}{}})
			case "array":
				t.Claims.Set("events", []string{"http://schemas.openid.net/event/backchannel-logout"})
			default:
				t.Claims.Delete("events")
			}
		}},
	},
	{
		ID: "G05", Name: "logout-token-nonce", Grade: Must, Seam: SeamLogout, Signals: refuseLogout, Asks: []string{backChannelLogout},
		Title: Text{"Logout token mang nonce", "Logout token with a nonce"},
		What:  Text{"Có nonce, như thể là ID token.", "It has a nonce, as an ID token would."},
		Right: Text{"Trả 400: logout token không được có nonce.", "Answer 400: a logout token must not have one."},
		Spec:  []string{"OIDC Back-Channel Logout §2.4", "OIDC Back-Channel Logout §2.6 (6)"},
		hooks: hooks{logout: func(_ *Exchange, t *JWT) { t.Claims.Set("nonce", "a-nonce") }},
	},
	{
		ID: "G06", Name: "logout-token-stale", Grade: Must, Seam: SeamLogout, Signals: refuseLogout, Asks: []string{backChannelLogout},
		Title: Text{"Logout token quá hạn hoặc thiếu jti", "Logout token expired, or without jti"},
		What:  Text{"exp đã qua, iat từ hôm qua và không có exp mới, hoặc thiếu jti.", "exp has passed, iat is of yesterday, or jti is missing."},
		Right: Text{"Kiểm tra exp, iat và jti; sai thì trả 400.", "Check exp, iat and jti; 400 when they are wrong."},
		Spec:  []string{"OIDC Back-Channel Logout §2.4", "OIDC Back-Channel Logout §2.6 (3)"},
		Variants: []Variant{
			{"expired", Text{"hết hạn từ hôm qua", "expired yesterday"}}, {"no-jti", Text{"không có jti", "no jti"}}, {"no-iat", Text{"không có iat", "no iat"}},
		},
		hooks: hooks{logout: func(x *Exchange, t *JWT) {
			switch x.Variant {
			case "no-jti":
				t.Claims.Delete("jti")
			case "no-iat":
				t.Claims.Delete("iat")
			default:
				t.Claims.Set("iat", t.Claims.Number("iat")-24*3600)
				t.Claims.Set("exp", t.Claims.Number("exp")-24*3600)
			}
		}},
	},
	{
		ID: "G07", Name: "logout-token-of-another", Grade: Must, Seam: SeamLogout, Signals: []Signal{KeepsSession}, Asks: []string{backChannelLogout},
		Title: Text{"Logout token của người khác", "Logout token of somebody else"},
		What:  Text{"sub và sid là của một phiên mà cổng không biết.", "sub and sid belong to a session the portal does not know."},
		Right: Text{"Không ai khác bị đăng xuất; trả 200 hoặc 400 đều được.", "Nobody else is signed out; 200 and 400 are both fine."},
		Spec:  []string{"OIDC Back-Channel Logout §2.7"},
		hooks: hooks{logout: func(_ *Exchange, t *JWT) {
			t.Claims.Set("sub", "somebody-else-0123456789")
			t.Claims.Set("sid", "another-session-01234567")
		}},
	},
	{
		ID: "G08", Name: "logout-token-without-subject", Grade: Must, Seam: SeamLogout, Signals: refuseLogout, Asks: []string{backChannelLogout},
		Title: Text{"Logout token không nói về ai", "Logout token about nobody"},
		What:  Text{"Không có cả sub lẫn sid.", "Neither sub nor sid."},
		Right: Text{"Trả 400, và không đăng xuất tất cả mọi người.", "Answer 400, and do not sign out everybody."},
		Spec:  []string{"OIDC Back-Channel Logout §2.4"},
		hooks: hooks{logout: func(_ *Exchange, t *JWT) {
			t.Claims.Delete("sub")
			t.Claims.Delete("sid")
		}},
	},
	{
		ID: "G09", Name: "id-token-as-logout-token", Grade: Must, Seam: SeamLogout, Signals: refuseLogout, Asks: []string{backChannelLogout},
		Title: Text{"ID token gửi thay logout token", "An ID token sent as logout token"},
		What:  Text{"Một ID token thật, đúng người, đúng chữ ký, được gửi tới địa chỉ đăng xuất.", "A real ID token, right person, right signature, posted to the logout address."},
		Right: Text{"Phân biệt hai loại token (typ, events, nonce); trả 400.", "Tell the two kinds apart (typ, events, nonce); answer 400."},
		Spec:  []string{"RFC 8725 §3.11", "OIDC Back-Channel Logout §2.6"},
		hooks: hooks{logout: func(_ *Exchange, t *JWT) {
			t.Header.Set("typ", "JWT")
			t.Claims.Delete("events")
			t.Claims.Delete("jti")
			t.Claims.Set("nonce", "a-nonce")
			t.Claims.Set("auth_time", t.Claims.Number("iat"))
			t.Claims.Set("acr", "LoA2")
		}},
	},
	{
		ID: "G10", Name: "logout-token-valid", Grade: Must, Seam: SeamChoreography, Signals: []Signal{LoggedOut}, Asks: []string{backChannelLogout},
		Title: Text{"Logout token đúng", "A right logout token"},
		What:  Text{"Không có lỗi nào: phiên ở nhà cung cấp kết thúc và cổng được báo.", "Nothing is wrong: the session at the provider ends and the portal is told."},
		Right: Text{"Phiên ở cổng thật sự kết thúc: trang kế tiếp đòi đăng nhập.", "The portal's session really ends: its next page asks to sign in."},
		Spec:  []string{"OIDC Back-Channel Logout §2.7"},
	},
	{
		ID: "G11", Name: "logout-storm", Grade: Should, Seam: SeamLogout, Signals: []Signal{LoggedOut, NoRetry}, Asks: []string{backChannelLogout},
		Title: Text{"Bão thông báo đăng xuất", "A storm of logout notices"},
		What:  Text{"Cùng một logout token đến nhiều lần liên tiếp.", "The same logout token comes again and again."},
		Right: Text{"Xử lý lặp lại không sao (bất biến), hoặc từ chối jti đã dùng; không hỏng.", "Be idempotent, or refuse the used jti; do not break."},
		Spec:  []string{"OIDC Back-Channel Logout §2.6 (8)", "OIDC Back-Channel Logout §2.8"},
		Variants: []Variant{
			{"twice", Text{"hai lần", "twice"}}, {"storm", Text{"50 lần", "50 times"}},
		},
		hooks: hooks{logout: func(x *Exchange, _ *JWT) {
			x.Repeat = 1
			if x.Variant == "storm" {
				x.Repeat = 49
			}
		}},
	},
	{
		ID: "G12", Name: "front-channel-wrong", Grade: Must, Seam: SeamLogout, Signals: []Signal{KeepsSession}, Asks: []string{"frontchannel_logout_uri"},
		Title: Text{"Đăng xuất qua trình duyệt với iss hoặc sid sai", "Front-channel logout with a wrong iss or sid"},
		What:  Text{"Khung đăng xuất gọi cổng với iss hoặc sid không phải của phiên này.", "The logout frame calls the portal with an iss or sid that is not of this session."},
		Right: Text{"Đối chiếu iss và sid với phiên; sai thì bỏ qua.", "Compare iss and sid with the session; ignore the call when they differ."},
		Spec:  []string{"OIDC Front-Channel Logout §3"},
		Variants: []Variant{
			{"iss", Text{"iss khác", "another iss"}}, {"sid", Text{"sid khác", "another sid"}},
		},
		hooks: hooks{on: []Kind{EndSession}, response: func(x *Exchange) {
			name, value := "iss", "https%3A%2F%2Fother-issuer.test"
			if x.Variant == "sid" {
				name, value = "sid", "another-session-01234567"
			}
			altered := alterFrames(x.Answer.Body, name, value)
			if bytes.Equal(altered, x.Answer.Body) {
				x.Untouched()
			}
			x.Answer.Body = altered
		}},
	},
	{
		ID: "G13", Name: "post-logout-state", Grade: Should, Seam: SeamRedirect, Signals: []Signal{NoRetry}, Asks: []string{"post_logout_redirect_uri", "state"},
		Title: Text{"state sau khi đăng xuất sai hoặc thiếu", "state after logout wrong or missing"},
		What:  Text{"Trình duyệt quay về cổng với state khác, hoặc không có.", "The browser comes back with another state, or none."},
		Right: Text{"Không làm gì theo state lạ; trang vẫn hiện bình thường.", "Do nothing by a foreign state; show a page all the same."},
		Spec:  []string{"OIDC RP-Initiated Logout §3"},
		Variants: []Variant{
			{"wrong", Text{"giá trị khác", "another value"}}, {"missing", Text{"không có", "none"}},
		},
		hooks: hooks{on: []Kind{EndSession}, response: func(x *Exchange) {
			before, query, ok := strings.Cut(x.Answer.Header.Get("Location"), "?")
			form, err := url.ParseQuery(query)
			if !ok || err != nil || !form.Has("state") {
				x.Untouched()
				return
			}
			form.Set("state", "not-the-state-that-was-sent")
			if x.Variant == "missing" {
				form.Del("state")
			}
			x.Answer.Header.Set("Location", strings.TrimSuffix(before+"?"+form.Encode(), "?"))
		}},
	},
	{
		ID: "G14", Name: "post-logout-never-returns", Grade: Should, Seam: SeamRedirect, Signals: []Signal{LoggedOut},
		Title: Text{"Đăng xuất không quay về", "Logout that never comes back"},
		What:  Text{"Trang đăng xuất của nhà cung cấp hỏng, trình duyệt không trở về cổng.", "The provider's logout page is broken: the browser never returns."},
		Right: Text{"Đóng phiên ở cổng trước khi chuyển sang nhà cung cấp.", "End the portal's own session before sending the browser away."},
		Spec:  []string{"OIDC RP-Initiated Logout §2"},
		hooks: hooks{on: []Kind{EndSession}, request: func(x *Exchange) { x.Reply(http.StatusInternalServerError, htmlType, brokenPage) }},
	},
	{
		ID: "G17", Name: "op-session-ended", Grade: Should, Seam: SeamAuthorization, Signals: []Signal{NoRetry}, Asks: []string{"prompt=none"},
		Title: Text{"Phiên ở nhà cung cấp đã hết", "The session at the provider has ended"},
		What:  Text{"prompt=none nhận login_required.", "prompt=none is answered with login_required."},
		Right: Text{"Kết thúc phiên hoặc mời đăng nhập lại, không lặp vô tận.", "End the session or ask to sign in again; no endless loop."},
		Spec:  []string{"OIDC Core §3.1.2.6"},
		hooks: hooks{authorization: func(x *Exchange, a *Authorization) {
			if a.Get("code") == "" || x.Form.Get("prompt") != "none" && (x.Login == nil || len(x.Login.Request.Prompt) != 1 || x.Login.Request.Prompt[0] != "none") {
				x.Untouched()
				return
			}
			a.Delete("code")
			a.Set("error", "login_required")
		}},
	},
	{
		ID: "G18", Name: "account-locked-after-login", Grade: Either, Seam: SeamUserinfo, Signals: []Signal{Human},
		Title: Text{"Tài khoản bị khóa sau khi đăng nhập", "The account is locked after the sign-in"},
		What:  Text{"Introspection nói active: false, UserInfo trả 401, dù token chưa hết hạn.", "Introspection says active: false and UserInfo 401, though the token has not expired."},
		Right: Text{"Coi như đã đăng xuất khi biết; cổng quyết định hỏi bao lâu một lần.", "Treat the person as signed out once it is known; how often to ask is the portal's decision."},
		Spec:  []string{"RFC 7662 §2.2", "RFC 6750 §3.1"},
		hooks: hooks{on: []Kind{Introspect, Userinfo}, response: func(x *Exchange) {
			if x.Kind == Userinfo {
				oauthRefusal(x, http.StatusUnauthorized, "invalid_token", "the account is locked")
				return
			}
			if x.Answer.Status != http.StatusOK || x.GrantToken == nil || x.GrantToken.Kind != vneid.AccessToken && x.GrantToken.Kind != vneid.RefreshToken {
				x.Untouched()
				return
			}
			x.Answer.Body = []byte(`{"active":false}`)
		}},
	},
}

// alterFrames changes a parameter of the addresses in the frames of the page
// that says one is signed out.
func alterFrames(page []byte, name, value string) []byte {
	const frame = `<iframe class="logout-frame" src="`
	var out []byte
	for {
		at := bytes.Index(page, []byte(frame))
		if at < 0 {
			return append(out, page...)
		}
		at += len(frame)
		end := bytes.IndexByte(page[at:], '"')
		if end < 0 {
			return append(out, page...)
		}
		out = append(out, page[:at]...)
		before, query, _ := strings.Cut(strings.ReplaceAll(string(page[at:at+end]), "&amp;", "&"), "?")
		pairs := strings.Split(query, "&")
		for i, pair := range pairs {
			if strings.HasPrefix(pair, name+"=") {
				pairs[i] = name + "=" + value
			}
		}
		out = append(out, strings.ReplaceAll(before+"?"+strings.Join(pairs, "&"), "&", "&amp;")...)
		page = page[at+end:]
	}
}
