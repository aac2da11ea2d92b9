using System.CommandLine;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Commands;

/// <summary>Whom a verb calls and how: the argument and the switches that all network verbs share.</summary>
internal sealed class PeerSwitches
{
    /// <summary>Where the password of a key comes from: a switch would show it to everybody on the machine.</summary>
    public const string PasswordVariable = "PSG_TLS_PASSWORD";

    private readonly Argument<string> _peer = CommonOptions.Peer();
    private readonly Option<string> _calling = CommonOptions.Calling();
    private readonly Option<string?> _called = new("--called") { Description = "The peer's AE title; the peer may then be written as HOST:PORT." };
    private readonly Option<int?> _timeout = new("--timeout") { Description = "Longest wait for the connection, the association and each answer, seconds. Default 10, 30 and 60." };
    private readonly Option<bool> _tls = new("--tls") { Description = "DICOM over TLS (BCP 195)." };
    private readonly Option<string?> _cert = new("--cert") { Description = $"Our certificate, PEM or .pfx; the password of its key comes from {PasswordVariable}." };
    private readonly Option<string?> _key = new("--key") { Description = "The private key as PEM, when it is not in --cert." };
    private readonly Option<string?> _ca = new("--ca") { Description = "Authorities that the peer's certificate must lead to. Default: those of the system." };
    private readonly Option<TlsVerification> _verify = new("--verify")
    {
        Description = "full; authority: without the name; none: anybody may be at the other end.",
        DefaultValueFactory = static _ => TlsVerification.Full,
    };

    private readonly Option<string?> _serverName = new("--server-name") { Description = "The name that the peer's certificate must carry. Default: the host." };

    public PeerSwitches(Command command)
    {
        command.Add(_peer);
        foreach (Option option in (Option[])[_calling, _called, _timeout, _tls, _cert, _key, _ca, _verify, _serverName])
        {
            command.Add(option);
        }
    }

    /// <exception cref="CommandException">Not a peer, or files for TLS that cannot be used.</exception>
    public (PeerAddress Peer, AssociationLimits Limits) Read(ParseResult result)
    {
        string text = result.GetRequiredValue(_peer);
        if (result.GetValue(_called) is { } called)
        {
            text = $"{called}@{text[(text.IndexOf('@', StringComparison.Ordinal) + 1)..]}";
        }

        PeerAddress peer = Peer.Parse(text, result.GetRequiredValue(_calling)) with { Tls = ReadTls(result) };
        if (result.GetValue(_timeout) is not { } seconds)
        {
            return (peer, AssociationLimits.Default);
        }

        if (seconds is < 1 or > 86_400)
        {
            throw new CommandException("--timeout must be 1 to 86400 seconds.");
        }

        TimeSpan time = TimeSpan.FromSeconds(seconds);
        return (peer with { ConnectTimeout = time }, AssociationLimits.Default with { ArtimTimeout = time, DimseTimeout = time });
    }

    private TlsClient? ReadTls(ParseResult result)
    {
        if (!result.GetValue(_tls))
        {
            Option[] needTls = [_cert, _key, _ca, _verify, _serverName];
            return needTls.FirstOrDefault(o => result.GetResult(o) is { Implicit: false }) is { } without
                ? throw new CommandException($"{without.Name} means nothing without --tls.")
                : null;
        }

        try
        {
            var files = new TlsFiles
            {
                CertificatePath = result.GetValue(_cert),
                KeyPath = result.GetValue(_key),
                Password = Environment.GetEnvironmentVariable(PasswordVariable),
                AuthoritiesPath = result.GetValue(_ca),
            };
            return new TlsClient(new TlsCredentials(files), result.GetValue(_verify)) { ServerName = result.GetValue(_serverName) };
        }
        catch (TlsException e)
        {
            throw new CommandException(e.Message, e);
        }
    }
}
