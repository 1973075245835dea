package fault

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

func init() { parts = append(parts, sectionI) }

// sectionI: attack choreographies. Two issuers, two browsers, or an order of
// events: the exam plays them, most by what section A has for it.
var sectionI = []Fault{
	{
		ID: "I01", Name: "mix-up", Grade: Must, Seam: SeamChoreography, Attacker: true, Signals: []Signal{Canary, NoSession},
		Title: Text{"Lẫn nhà cung cấp (mix-up)", "Mix-up"},
		What:  Text{"Cổng có hai nhà cung cấp. Đăng nhập bắt đầu ở issuer /mix-up của kẻ tấn công, nó chuyển trình duyệt sang nhà cung cấp thật; mã của nhà cung cấp thật quay về và bị đem tới điểm cuối token của kẻ tấn công.", "The portal has two providers. The sign-in begins at the attacker's issuer /mix-up, which sends the browser on to the real provider; the real provider's code comes back, and goes to the attacker's token endpoint."},
		Right: Text{"So tham số iss của phản hồi với issuer đã bắt đầu, hoặc dùng redirect URI riêng cho mỗi nhà cung cấp; khác thì dừng, không đổi mã.", "Compare the parameter iss of the answer with the issuer that was begun with, or have a redirect URI for each provider; when they differ, stop and redeem nothing."},
		Spec:  []string{"RFC 9700 §4.4", "RFC 9207 §2.4"},
		Asks:  []string{"two_issuers"},
	},
	{
		ID: "I02", Name: "issuer-confusion", Grade: Must, Seam: SeamChoreography, Attacker: true, Signals: []Signal{Canary, NoSession},
		Title: Text{"Issuer mạo danh", "Issuer confusion"},
		What:  Text{"Issuer /confused của kẻ tấn công nói trong siêu dữ liệu và ID token rằng nó là nhà cung cấp thật, và ký bằng khoá của mình.", "The attacker's issuer /confused says in its metadata and ID tokens that it is the real provider, and signs with its own key."},
		Right: Text{"issuer trong siêu dữ liệu phải trùng từng ký tự với địa chỉ đã dùng để tải nó; khoá gắn với issuer.", "The issuer in metadata must be, letter by letter, the address that it was fetched from; keys belong to an issuer."},
		Spec:  []string{"OIDC Discovery §4.3", "RFC 8414 §3.3"},
		Asks:  []string{"two_issuers"},
	},
	{
		ID: "I03", Name: "idp-confusion", Grade: Must, Seam: SeamChoreography, Attacker: true, Signals: []Signal{Canary, NoSession},
		Title: Text{"Chuyển tiếp với nonce của kẻ tấn công", "Sent on with the attacker's nonce"},
		What:  Text{"Như I01, ở issuer /relay: yêu cầu tới nhà cung cấp thật mang nonce của kẻ tấn công, để mã lấy được dùng được trong phiên của nó.", "As I01, at the issuer /relay: the request to the real provider has the attacker's nonce, so that the code it gets is of use in its own session."},
		Right: Text{"state và nonce gắn với phiên và với issuer đã bắt đầu.", "Bind state and nonce to the session and to the issuer that was begun with."},
		Spec:  []string{"RFC 9700 §4.4", "OIDC Core §3.1.3.7 (11)"},
		Asks:  []string{"two_issuers"},
	},
	{
		ID: "I04", Name: "code-injection", Grade: Must, Seam: SeamChoreography, Signals: []Signal{NoUserinfoCall, NoSession},
		Title: Text{"Tiêm mã của người khác", "Code injection"},
		What:  Text{"Mã của nạn nhân được đưa vào phiên của kẻ tấn công, với state đúng của phiên đó.", "The victim's code comes into the attacker's session, with the right state of that session."},
		Right: Text{"PKCE (code_verifier của chính phiên) hoặc nonce: việc đổi mã thất bại, không ai được đăng nhập.", "PKCE (the session's own code_verifier) or nonce: the redemption fails, and nobody is signed in."},
		Spec:  []string{"RFC 9700 §4.5"},
	},
	{
		ID: "I05", Name: "code-replay", Grade: Must, Seam: SeamChoreography, Signals: []Signal{NoRetry},
		Title: Text{"Mã dùng lại", "Code replay"},
		What:  Text{"Một mã đã đổi lại được đưa tới, với state của một đăng nhập mới; nhà cung cấp từ chối nó.", "A code that was redeemed comes again, with the state of a new sign-in; the provider refuses it."},
		Right: Text{"Hiện lỗi một lần, không thử lại, không vào phiên nào.", "Show the error once, try nothing again, sign nobody in."},
		Spec:  []string{"RFC 6749 §4.1.2", "RFC 9700 §4.5"},
	},
	{
		ID: "I06", Name: "code-of-other-client", Grade: Must, Seam: SeamChoreography, Signals: []Signal{NoSession, NoRetry},
		Title: Text{"Mã của ứng dụng khác", "A code of another client"},
		What:  Text{"Mã được cấp cho ứng dụng khác tới cổng, với state đúng; nhà cung cấp từ chối nó.", "A code issued to another client comes to the portal, with the right state; the provider refuses it."},
		Right: Text{"Hiện lỗi, không vào phiên nào.", "Show the error, sign nobody in."},
		Spec:  []string{"RFC 6749 §4.1.3"},
	},
	{
		ID: "I07", Name: "pkce-downgrade", Grade: Must, Seam: SeamAuthorization, Signals: []Signal{NoSession, NoRetry}, Asks: []string{"pkce"},
		Title: Text{"Gỡ PKCE khỏi yêu cầu", "PKCE downgrade"},
		What:  Text{"code_challenge bị gỡ khỏi yêu cầu trên đường tới nhà cung cấp; cổng vẫn gửi code_verifier, và nhà cung cấp từ chối đổi mã.", "code_challenge is taken out of the request on its way to the provider; the portal still sends code_verifier, and the provider refuses to redeem."},
		Right: Text{"Hiện lỗi; không thử lại mà bỏ code_verifier.", "Show the error; do not try again without code_verifier."},
		Spec:  []string{"RFC 9700 §4.8"},
		hooks: hooks{on: []Kind{Authorize}, request: withoutPKCE},
	},
	{
		ID: "I09", Name: "session-overwriting", Grade: Must, Seam: SeamChoreography, Signals: []Signal{NoSession},
		Title: Text{"Ghi đè phiên", "Session overwriting"},
		What:  Text{"Trong lúc người A đang đăng nhập, phản hồi của người B tới cùng trình duyệt.", "While A signs in, B's answer comes to the same browser."},
		Right: Text{"Mỗi phản hồi chỉ thuộc về yêu cầu của nó; không trộn hai người.", "An answer belongs to its request alone; two people are never merged."},
		Spec:  []string{"RFC 9700 §4.7", "OWASP ASVS §3"},
	},
	{
		ID: "I10", Name: "login-csrf-linking", Grade: Must, Seam: SeamChoreography, Signals: []Signal{NoSession},
		Title: Text{"Liên kết bị giả mạo", "Forged linking"},
		What:  Text{"Phản hồi đăng nhập của kẻ tấn công tới trình duyệt của nạn nhân đang vào tài khoản cục bộ: VNeID của kẻ tấn công sẽ được liên kết với tài khoản đó.", "The attacker's answer comes to the victim's browser, which is signed in to a local account: the attacker's VNeID would be linked to it."},
		Right: Text{"state gắn với phiên, và hỏi lại mật khẩu trước khi liên kết.", "Bind state to the session, and ask for the password again before linking."},
		Spec:  []string{"RFC 9700 §4.7", "NIST SP 800-63C-4 §3.8"},
	},
}

// withoutPKCE takes the challenge out of an authorization request.
func withoutPKCE(x *Exchange) {
	if x.Form.Get("code_challenge") == "" {
		x.Untouched()
		return
	}
	r := x.Request
	again := r.Clone(x.Ctx())
	query := r.URL.Query()
	strip(query)
	again.URL.RawQuery = query.Encode()
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(io.LimitReader(r.Body, mostBody))
		form, err2 := url.ParseQuery(string(body))
		if err != nil || err2 != nil {
			x.Untouched()
			r.Body = io.NopCloser(bytes.NewReader(body))
			return
		}
		strip(form)
		text := form.Encode()
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader([]byte(text))), int64(len(text))
		again.Header.Set("Content-Length", strconv.Itoa(len(text)))
	}
	x.Request = again
}

func strip(form url.Values) {
	form.Del("code_challenge")
	form.Del("code_challenge_method")
}
