// Which bytes the terminal takes for characters.
#ifndef WORMHOLE_CLIENT_CLI_CHARSET_H_
#define WORMHOLE_CLIENT_CLI_CHARSET_H_

namespace wormhole::cli {

// Beyond ASCII a terminal that does not read UTF-8 takes bytes for controls: 0x9b begins an escape
// sequence, also as the second byte of a letter.
enum class Charset { kAscii, kUtf8 };

// Takes the codeset of the environment's locale: from the locale's data, or from its name when this
// machine lacks the data, since the terminal may be at the other end of a connection. kAscii unless
// the codeset is UTF-8.
Charset LocaleCharset();

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_CHARSET_H_
