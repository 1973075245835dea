package linking

import (
	"slices"
	"strings"
)

// Scenario is one row of section J that can be played over HTTP.
type Scenario struct {
	ID, Name, Grade string // must, should
	Title, What     Text
	Right           Text
	Spec            []string
	Variants        []string
	play            func(*stage) (outcome, error)
}

func (s *Scenario) variants() []string {
	if len(s.Variants) == 0 {
		return []string{""}
	}
	return s.Variants
}

func (s *Scenario) called(word string) bool { return strings.EqualFold(word, s.ID) || word == s.Name }

// Scenarios are all of them, in the order in which they are played: first
// everything that must join nobody, then one link in the right way, and then
// what must not harm it.
func Scenarios() []*Scenario { return slices.Concat(before, after) }

const (
	must   = "must"
	should = "should"
)

const (
	federation = "NIST SP 800-63C §5.4"
	subject    = "OIDC Core §5.7"
	claims     = "OIDC Core §5.1"
	csrf       = "RFC 9700 §4.7"
)

// before: nobody is joined yet.
var before = []*Scenario{
	{
		ID: "A03", Name: "state-other-session", Grade: must, play: playForeignCallback, Spec: []string{csrf, "RFC 6749 §10.12"},
		Title: text("Callback của trình duyệt khác", "Another browser's callback"),
		What:  text("Nạn nhân mở đường dẫn callback mà kẻ tấn công lấy được ở trình duyệt của mình.", "The victim opens a callback address that the attacker got in a browser of their own."),
		Right: text("state gắn với phiên của trình duyệt: từ chối, không đăng nhập ai.", "state is bound to the browser's session: refuse, sign nobody in."),
	},
	{
		ID: "I10", Name: "login-csrf-linking", Grade: must, play: playLinkingCSRF, Spec: []string{csrf, federation},
		Title: text("Ép liên kết VNeID của kẻ tấn công", "The attacker's VNeID forced into a link"),
		What:  text("Nạn nhân đang đăng nhập bằng tài khoản của cổng thì mở callback của kẻ tấn công.", "The victim is signed in with a local account and opens the attacker's callback."),
		Right: text("Từ chối; muốn liên kết phải bắt đầu trong chính phiên đó.", "Refuse; a link begins in that very session."),
	},
	{
		ID: "J20", Name: "link-while-logged-in-as-other", Grade: must, play: playOtherSignedIn, Spec: []string{federation},
		Title: text("Trình duyệt của A, VNeID của B", "A's browser, B's VNeID"),
		What:  text("Tài khoản A đang mở, B đăng nhập VNeID trong cùng trình duyệt.", "Account A is open, and B signs in to VNeID in the same browser."),
		Right: text("Hiện cả hai danh tính và hỏi; không tự nhập làm một.", "Show both identities and ask; merge nothing by itself."),
	},
	{
		ID: "J13", Name: "name-as-key", Grade: must, play: playSameName, Spec: []string{subject, "UAX 15"},
		Title: text("Người trùng họ tên và ngày sinh", "Somebody of the same name and birth date"),
		What:  text("Người khác trùng họ tên, ngày sinh với chủ một tài khoản cũ, số CCCD khác.", "Another person with the name and birth date of an old account's owner, and another CCCD."),
		Right: text("Họ tên không bao giờ là khoá.", "A name is never a key."),
	},
	{
		ID: "J19", Name: "first-come-hijack", Grade: must, play: playFirstCome, Spec: []string{federation, "CWE-287"},
		Title: text("Chiếm chỗ trước", "First come"),
		What:  text("Một tài khoản tạo từ trước đã tự khai số CCCD của người khác; nay chủ của số đăng nhập bằng VNeID.", "An account made earlier holds somebody else's CCCD, typed by hand; now the owner of the number comes by VNeID."),
		Right: text("Không trao tài khoản đó; đòi mật khẩu của nó trước khi liên kết.", "Do not hand that account over; ask for its password before linking."),
	},
	{
		ID: "J06", Name: "cmnd-legacy", Grade: must, play: playCMND, Spec: []string{federation},
		Title: text("Số CMND cũ", "An old CMND"),
		What:  text("Tài khoản cũ chỉ có CMND 9 số; VNeID gửi CCCD kèm CMND đó.", "An old account has a 9-digit CMND only; VNeID sends a CCCD and that CMND."),
		Right: text("Chỉ đối chiếu khi người dân xác nhận và chứng minh.", "Match only when the person confirms and proves it."),
	},
	{
		ID: "J23", Name: "officer-account", Grade: must, play: playOfficer, Spec: []string{federation, "CWE-269"},
		Title: text("Tài khoản cán bộ", "An officer's account"),
		What:  text("Cán bộ đăng nhập VNeID với tư cách công dân.", "An officer comes by VNeID as a citizen."),
		Right: text("Tách vai trò; claim không bao giờ cấp quyền cán bộ.", "Keep the roles apart; no claim gives an officer's rights."),
	},
	{
		ID: "J04", Name: "cccd-missing", Grade: must, play: playUnnumbered, Spec: []string{"OIDC Core §5.3.2"},
		Title: text("Không có số CCCD", "No CCCD"),
		What:  text("VNeID không gửi cccd (không đồng ý chia sẻ).", "VNeID sends no cccd (sharing was refused)."),
		Right: text("Không tự liên kết; giải thích và có đường Bỏ qua.", "No linking by itself; explain, and offer to skip."),
	},
	{
		ID: "J27", Name: "foreigner", Grade: should, play: playUnnumbered, Spec: []string{"Nghị định 69/2024/NĐ-CP Điều 7"},
		Title: text("Người nước ngoài", "A foreigner"),
		What:  text("Không có CCCD; account_type là foreigner, có số hộ chiếu.", "No CCCD; account_type is foreigner, with a passport number."),
		Right: text("Dùng loại định danh khác, không lỗi máy chủ.", "Another kind of identifier, no server error."),
	},
	{
		ID: "J07", Name: "cccd-duplicate-local", Grade: must, play: playDuplicate, Spec: []string{federation},
		Title: text("Hai tài khoản cùng số CCCD", "Two accounts with one CCCD"),
		What:  text("Hai tài khoản của cổng cùng mang số CCCD của người đăng nhập.", "Two local accounts hold the CCCD of the person who comes."),
		Right: text("Không im lặng chọn một.", "Never pick one silently."),
	},
	{
		ID: "J22", Name: "organisation-account", Grade: must, play: playOwners, Spec: []string{"Nghị định 69/2024/NĐ-CP Điều 7"},
		Title: text("Tài khoản tổ chức", "An organisation's account"),
		What:  text("account_type là organisation, CCCD của người đại diện đi kèm.", "account_type is organisation, with the representative's CCCD besides."),
		Right: text("Loại tài khoản riêng; không nhập vào tài khoản công dân của người đại diện.", "An account type of its own; not the representative's citizen account."),
	},
	{
		ID: "J24", Name: "minor", Grade: should, play: playOwners, Spec: []string{"Nghị định 69/2024/NĐ-CP Điều 7"},
		Title: text("Trẻ em có người giám hộ", "A minor with a guardian"),
		What:  text("Người dưới 14 tuổi, guardian_cccd là số của chủ tài khoản cũ.", "Somebody under 14 whose guardian_cccd is the number of an old account."),
		Right: text("Xử lý người giám hộ hoặc từ chối rõ; không mở tài khoản của người giám hộ.", "Handle the guardian or refuse clearly; do not open the guardian's account."),
	},
	{
		ID: "J10", Name: "cccd-homoglyph", Grade: must, play: playOddNumber, Spec: []string{"UTS 39"},
		Title: text("Chữ O thay số 0", "The letter O for the digit 0"),
		What:  text("Các số 0 trong CCCD là chữ O.", "The zeros of the CCCD are letters O."),
		Right: text("Từ chối: chỉ nhận chữ số.", "Refuse: digits only."),
	},
	{
		ID: "J09", Name: "cccd-format", Grade: must, play: playOddNumber, Spec: []string{"OIDC Core §5.1.2"}, Variants: []string{"spaces", "dots", "full-width", "arabic-indic", "number"},
		Title: text("Số CCCD viết kiểu khác", "A CCCD written otherwise"),
		What:  text("Có dấu cách, dấu chấm, chữ số toàn khổ hay Ả Rập, hoặc kiểu số mất số 0 đầu.", "With spaces, dots, wide or Arabic-Indic digits, or as a number without its leading zero."),
		Right: text("Chuẩn hoá rồi đòi đúng 12 chữ số ASCII; không giữ số như đã đến.", "Normalise, then demand 12 ASCII digits; do not keep it as it came."),
	},
	{
		ID: "J11", Name: "cccd-birth-disagrees", Grade: should, play: playFlagOnly, Spec: []string{"Thông tư 59/2021/TT-BCA Điều 7"},
		Title: text("Số CCCD không khớp ngày sinh", "The CCCD does not fit the birth date"),
		What:  text("Thế kỷ, giới tính, năm trong số không khớp birthdate và gender.", "Century, sex and year of the number disagree with birthdate and gender."),
		Right: text("Ghi chú để kiểm tra, không chặn chỉ vì thế.", "Flag it, do not block for that alone."),
	},
	{
		ID: "J12", Name: "cccd-invalid-province", Grade: should, play: playFlagOnly, Spec: []string{"Thông tư 59/2021/TT-BCA Điều 7"},
		Title: text("Mã tỉnh không có thật", "A province that is none"),
		What:  text("Số CCCD bắt đầu bằng 000.", "The CCCD begins with 000."),
		Right: text("Ghi chú để kiểm tra, không chặn chỉ vì thế.", "Flag it, do not block for that alone."),
	},
	{
		ID: "J15", Name: "name-hostile", Grade: must, play: playHostileName, Spec: []string{"CWE-79", "CWE-451"}, Variants: []string{"markup", "long", "rtl", "emoji"},
		Title: text("Họ tên độc hại", "A hostile name"),
		What:  text("Tên có mã HTML, dài 300 ký tự, có dấu đảo chiều, hoặc biểu tượng.", "A name of markup, of 300 characters, with right-to-left marks, or emoji."),
		Right: text("Giới hạn độ dài và mã hoá khi hiển thị.", "Bound its length and encode it on output."),
	},
	{
		ID: "J16", Name: "birthdate-partial", Grade: must, play: playBirthdate, Spec: []string{claims}, Variants: []string{"year", "compact", "impossible", "two-digit"},
		Title: text("Ngày sinh không đủ hoặc sai", "A partial or impossible birth date"),
		What:  text("Chỉ có năm, viết liền, ngày không có thật, hoặc năm hai chữ số.", "The year alone, without dashes, a day that never was, or a year of two digits."),
		Right: text("Đọc chặt chẽ; giữ phần biết được, không đoán.", "Parse strictly; keep what is known, guess nothing."),
	},
	{
		ID: "J25", Name: "locked-identity", Grade: must, play: playLocked, Spec: []string{"RFC 6749 §4.1.2.1"},
		Title: text("Tài khoản định danh bị khoá", "A locked identity"),
		What:  text("VNeID từ chối vì tài khoản bị khoá.", "VNeID refuses because the account is locked."),
		Right: text("Không cho vào; trang giải thích, không lỗi máy chủ.", "Let nobody in; explain, without a server error."),
	},
	{
		ID: "J31", Name: "browser-carried-identity", Grade: must, play: playAltered, Spec: []string{"OIDC Core §3.1.3", "CWE-602"},
		Title: text("Danh tính do trình duyệt mang", "An identity that the browser carries"),
		What:  text("Biểu mẫu sau callback bị sửa: số CCCD, tên tài khoản, dữ liệu UserInfo của người khác.", "Forms after the callback are altered: somebody else's CCCD, account, UserInfo."),
		Right: text("Chỉ tin dữ liệu ở máy chủ: bản sửa không mở được gì.", "Believe the server's own data only: the altered post opens nothing."),
	},
	{
		ID: "J32", Name: "skip-then-link", Grade: must, play: playSkipThenLink, Spec: []string{federation},
		Title: text("Bỏ qua rồi liên kết sau", "Skipped, then linked later"),
		What:  text("Người dân bấm Bỏ qua, sau đó liên kết từ trang cá nhân với mật khẩu sai.", "The person skips, and later links from the profile with a wrong password."),
		Right: text("Cùng các kiểm tra như khi đăng nhập.", "The same checks as at the sign-in."),
	},
}

// after: the citizen is joined to the first own account.
var after = []*Scenario{
	{
		ID: "J01", Name: "level-downgraded", Grade: must, play: playDowngrade, Spec: []string{federation},
		Title: text("Mức tài khoản giảm", "The account level fell"),
		What:  text("Hôm qua mức 2, hôm nay account_level là 1.", "Yesterday level 2, today account_level is 1."),
		Right: text("Giữ liên kết, từ chối dịch vụ cần mức 2.", "Keep the link, refuse services of level 2."),
	},
	{
		ID: "J02", Name: "level-odd", Grade: must, play: playLevel, Spec: []string{"OIDC Core §5.1.2"}, Variants: []string{"missing", "number", "unknown", "word"},
		Title: text("Mức tài khoản lạ", "An odd account level"),
		What:  text("account_level không có, là số, là 3, hoặc là một chữ.", "account_level is absent, a number, 3, or a word."),
		Right: text("Coi như mức thấp nhất; đọc chặt chẽ.", "Treat it as the lowest level; parse strictly."),
	},
	{
		ID: "J05", Name: "cccd-changed", Grade: must, play: playStays, Spec: []string{subject},
		Title: text("Số CCCD đổi, sub không đổi", "Another CCCD, the same sub"),
		What:  text("Cùng sub nhưng số CCCD mới.", "The same sub with a new CCCD."),
		Right: text("Khoá chính là iss và sub: liên kết còn, hoặc dừng lại để hỏi.", "Key on iss and sub: the link stays, or stop and ask."),
	},
	{
		ID: "J13", Name: "name-spelling", Grade: must, play: playStays, Spec: []string{"UAX 15", claims}, Variants: []string{"nfd", "upper", "no-diacritics", "double-space"},
		Title: text("Họ tên viết kiểu khác", "A name spelt otherwise"),
		What:  text("Cùng tên nhưng dạng NFD, viết hoa, không dấu, hoặc thừa dấu cách.", "The same name as NFD, in capitals, without diacritics, or with double spaces."),
		Right: text("So sánh sau NFC và bỏ hoa thường: liên kết còn.", "Compare after NFC and case folding: the link stays."),
	},
	{
		ID: "J14", Name: "name-changed", Grade: must, play: playNewName, Spec: []string{subject},
		Title: text("Đổi họ tên", "Another name"),
		What:  text("Cùng sub và CCCD, họ tên đã cải chính.", "The same sub and CCCD, a corrected name."),
		Right: text("Cập nhật hồ sơ, giữ liên kết.", "Update the profile, keep the link."),
	},
	{
		ID: "J30", Name: "consent-withdrawn", Grade: must, play: playWithdrawn, Spec: []string{"OIDC Core §5.3.2", "Nghị định 13/2023/NĐ-CP Điều 12"},
		Title: text("Rút bớt đồng ý chia sẻ", "Less is shared than before"),
		What:  text("Lần đăng nhập sau không còn cccd.", "A later sign-in brings no cccd."),
		Right: text("Không im lặng xoá dữ liệu đã liên kết.", "Do not delete linked data silently."),
	},
	{
		ID: "J17", Name: "phone-recycled", Grade: must, play: playPhone, Spec: []string{federation},
		Title: text("Số điện thoại cấp lại", "A recycled phone number"),
		What:  text("Người mới mang số điện thoại trước đây của người đã liên kết.", "Somebody new has the number that the linked person had."),
		Right: text("Không bao giờ liên kết bằng số điện thoại.", "Never link by a phone number."),
	},
	{
		ID: "J18", Name: "email-unverified", Grade: must, play: playEmail, Spec: []string{subject, "CWE-290"}, Variants: []string{"false", "absent", "text"},
		Title: text("E-mail của người khác, chưa xác minh", "Somebody else's e-mail, unverified"),
		What:  text("email trùng với người đã liên kết; email_verified là false, không có, hoặc chuỗi \"false\".", "email is that of the linked person; email_verified is false, absent, or the string \"false\"."),
		Right: text("Không bao giờ liên kết bằng e-mail.", "Never link by e-mail."),
	},
	{
		ID: "J13", Name: "namesake", Grade: must, play: playNamesake, Spec: []string{subject, "UAX 15"},
		Title: text("Người trùng tên với người đã liên kết", "A namesake of the linked person"),
		What:  text("Người mới trùng họ tên, ngày sinh với người đã liên kết, số CCCD khác.", "Somebody new with the name and birth date of the linked person, and another CCCD."),
		Right: text("Họ tên không bao giờ là khoá.", "A name is never a key."),
	},
	{
		ID: "J08", Name: "cccd-already-linked", Grade: must, play: playOtherSub, Spec: []string{federation, subject},
		Title: text("CCCD đã liên kết với sub khác", "A CCCD that another sub is linked to"),
		What:  text("sub khác đến với số CCCD đã được liên kết.", "Another sub comes with a CCCD that is linked already."),
		Right: text("Từ chối, không lấy liên kết của người trước.", "Refuse; take nobody's link away."),
	},
	{
		ID: "J29", Name: "issuer-migration", Grade: must, play: playOtherIssuer, Spec: []string{subject, "OIDC Core §3.1.3.7 (2)"},
		Title: text("Cùng sub, issuer khác", "The same sub, another issuer"),
		What:  text("ID token của một issuer khác mang cùng sub.", "An ID token of another issuer bears the same sub."),
		Right: text("Không đối chiếu chỉ bằng sub; đổi issuer phải được khai rõ.", "Do not match by sub alone; a move is mapped explicitly."),
	},
	{
		ID: "J26", Name: "register-mismatch", Grade: must, play: playRegister, Spec: []string{"NIST SP 800-63A §5.2.2"}, Variants: []string{"not-found", "down", "slow"},
		Title: text("CSDL dân cư trả lời khác", "The population database disagrees"),
		What:  text("Khi khai số: không tìm thấy, trả 503, hoặc không trả lời kịp.", "While a number is typed: not found, 503, or no answer in time."),
		Right: text("Giải thích, cho làm lại sau; không mất gì.", "Explain, let people try again; nothing is lost."),
	},
	{
		ID: "J21", Name: "unlink-relink", Grade: must, play: playUnlink, Spec: []string{federation},
		Title: text("Gỡ liên kết, người khác liên kết lại", "Unlinked, and linked by somebody else"),
		What:  text("Gỡ liên kết, rồi một người khác liên kết tài khoản đó.", "The link is undone, and another person links that account."),
		Right: text("Đăng nhập lại trước khi gỡ; người khác không liên kết được ngay.", "A fresh sign-in before it; nobody else may link it at once."),
	},
}
