/**
 * The passwords of at least eight characters that people choose most, as lists of leaked ones tell again and again, and
 * those that this service suggests by its name. In lower case: capitals make none of them less known.
 */
const COMMON = new Set(
  `
  00000000 0000000000 0987654321 11111111 111111111 1111111111 11112222 11223344 1122334455 12121212 12341234 12344321
  1234567890 123123123 123321123 123454321 12345678 123456789 1234567a 12345678a 123456789a 123456789q 12345qwert
  1234qwer 123qwe123 123qweasd 147258369 147852369 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 22222222 33333333
  44444444 55555555 66666666 741852963 77777777 789456123 87654321 88888888 987654321 99999999
  a1234567 a12345678 a1b2c3d4 aa123456 abc12345 abcd1234 abcdefg1 abcdefgh abcdefghi admin123 admin1234 administrator
  alexander asdf1234 asdfasdf asdfghjk asdfghjkl babygirl baseball baseball1 basketball benjamin blink182 butterfly
  changeit changeme changeme123 charlie1 chocolate computer corvette danielle december dragon123 elizabeth football
  football1 freedom1 garfield hello123 iloveyou iloveyou1 iloveyou2 internet jennifer jonathan jordan23 letmein1
  letmein123 liverpool master123 maverick mercedes metallica michael1 michelle midnight monkey123 mustang1 november
  p@ssw0rd p@ssword pa$$w0rd pa55word passw0rd passw0rd1 password password1 password12 password123 password1234
  password12345 password2 passwordpassword princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsx123 qazwsxedc qwe123qwe qweasdzxc
  qwer1234 qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyui qwertyuiop root1234 rootroot samantha secret123 september
  starwars sunshine sunshine1 superman superman1 supersecret test1234 testtest trustno1 user1234 victoria welcome1
  welcome123 whatever zaq12wsx zxcvbnm1 zxcvbnm123
  featureflag featureflags vexil123 vexiladmin vexilvexil
  `
    .trim()
    .split(/\s+/),
);

/** Whether a password is among the first that anybody would guess. */
export const isCommonPassword = (password: string): boolean => COMMON.has(password.toLowerCase());
