# shellcheck shell=bash
# Installs what a script needs and the machine has not: Debian and Ubuntu packages by name, asked of apt alone.
# Sourced after common.sh.

# Whether the dynamic linker knows the library.
has_library() { /sbin/ldconfig -p | grep "$1" >/dev/null; }

# The package that brings a command or a library, or nothing when it is there.
missing_package() {
  case "$1" in
    # The wall clock of one process, put forward and back.
    libfaketime) compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || echo libfaketime ;;
    python3-pydicom) /usr/bin/python3 -c 'import pydicom' 2>/dev/null || echo python3-pydicom ;;
    python3-yaml) /usr/bin/python3 -c 'import yaml' 2>/dev/null || echo python3-yaml ;;
    rsyslog-gnutls) compgen -G '/usr/lib/*/rsyslog/lmnsd_gtls.so' >/dev/null || echo rsyslog-gnutls ;;
    # The DICOMweb service of Orthanc.
    orthanc-dicomweb) [ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || echo orthanc-dicomweb ;;
    postgres) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql ;;
    # Libraries that decode and encode pixels; Ubuntu leaves the 0 out of the last one's name.
    libcharls.so.2) has_library "$1" || echo libcharls2 ;;
    libopenjp2.so.7) has_library "$1" || echo libopenjp2-7 ;;
    libturbojpeg.so.0) has_library "$1" || { apt-cache show libturbojpeg0 >/dev/null 2>&1 && echo libturbojpeg0 || echo libturbojpeg; } ;;
    *)
      command -v "$1" >/dev/null && return 0
      case "$1" in
        storescu) echo dcmtk ;;
        Orthanc) [ -x /usr/sbin/Orthanc ] || echo orthanc ;;
        gdcmconv) echo libgdcm-tools ;;
        dciodvfy) echo dicom3tools ;;
        ZXingReader) echo zxing-cpp-tools ;;
        zbarimg) echo zbar-tools ;;
        ojph_expand) echo openjph-tools ;;
        haproxy) [ -x /usr/sbin/haproxy ] || echo haproxy ;;
        rsyslogd) [ -x /usr/sbin/rsyslogd ] || echo rsyslog ;;
        openssl) echo openssl ;;
        curl) echo curl ;;
        npm) echo npm ;;
        *) fail "no package is known for $1" ;;
      esac ;;
  esac
}

# require_commands COMMAND...: installs the packages of those that are missing. Root is not asked; anybody else is told
# the one command to run, and the script ends with 2.
require_commands() {
  step "What this needs from the machine"
  local packages=() package command
  for command in "$@"; do
    package=$(missing_package "$command")
    if [ -n "$package" ]; then packages+=("$package"); fi
  done
  if [ ${#packages[@]} -eq 0 ]; then
    say "all there: $*"
    return 0
  fi
  if ! command -v apt-get >/dev/null; then
    exit_code=2 fail "these Debian packages are needed and apt-get is not here to install them: ${packages[*]}"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    printf 'Please run this once, then start %s again:\n\n  sudo apt-get update && sudo apt-get install --yes --no-install-recommends %s\n\n' \
      "$(basename "$0")" "${packages[*]}" >&2
    exit 2
  fi
  say "installing: ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # A machine without package lists, or with lists older than a day, would ask for versions that are gone.
  if [ -z "$(find /var/lib/apt/lists -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null)" ]; then
    apt-get -qq update </dev/null
  fi
  apt-get -qq install --yes --no-install-recommends "${packages[@]}" </dev/null >/dev/null
  # Debian starts a server when it installs one; these are wanted as tools, started by the scripts on ports of their own.
  if [ -d /run/systemd/system ]; then
    local service
    for service in orthanc postgresql haproxy; do
      if [[ " ${packages[*]} " == *" $service "* ]]; then systemctl --quiet disable --now "$service" || true; fi
    done
  fi
}

# Ends the script with 2 when no .NET 10 SDK is on the path.
require_dotnet() {
  command -v dotnet >/dev/null || exit_code=2 fail "the .NET 10 SDK is not here: see https://dotnet.microsoft.com/download/dotnet/10.0, or, where the distribution has it, apt-get install dotnet-sdk-10.0"
  dotnet --list-sdks | grep -q '^10\.' || exit_code=2 fail "dotnet is here, but no SDK of version 10; it has: $(dotnet --list-sdks | tr '\n' ';')"
  say ".NET SDK $(cd "$repository" && dotnet --version)"
}

# npm is wanted only to fetch the native library, so only where that is still to be done.
require_npm_unless_fetched() {
  if ! compgen -G "$repository/native/*/*onnxruntime*" >/dev/null; then require_commands npm; fi
}
