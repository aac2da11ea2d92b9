using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Gateway;

/// <summary>A syslog receiver that takes frames as RFC 5425 has them, and can break off in the middle of one.</summary>
internal sealed partial class SyslogReceiver : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<long> _sequences = [];
    private readonly Lock _gate = new();
    private readonly TcpListener? _listener;
    private readonly UdpClient? _datagrams;
    private readonly X509Certificate2? _certificate;
    private readonly int _breakAfter;
    private readonly Task _work;
    private int _connections;

    public SyslogReceiver(SyslogTransport transport, TlsFiles? tls, int port = 0, int breakAfter = int.MaxValue)
    {
        _breakAfter = breakAfter;
        if (tls is not null)
        {
            using var pem = X509Certificate2.CreateFromPemFile(tls.CertificatePath!, tls.KeyPath);
            _certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        }

        if (transport == SyslogTransport.Udp)
        {
            _datagrams = new UdpClient(new IPEndPoint(IPAddress.Loopback, port));
            Port = ((IPEndPoint)_datagrams.Client.LocalEndPoint!).Port;
            _work = ReceiveAsync();
        }
        else
        {
            _listener = new TcpListener(IPAddress.Loopback, port);
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            _work = AcceptAsync();
        }
    }

    public int Port { get; }

    public bool IsBroken { get; private set; }

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The numbers of the entries whose messages came whole, in the order in which they came.</summary>
    public long[] Sequences
    {
        get
        {
            lock (_gate)
            {
                return [.. _sequences];
            }
        }
    }

    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener?.Stop();
        _datagrams?.Dispose();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _certificate?.Dispose();
        _stop.Dispose();
    }

    private async Task ReceiveAsync()
    {
        while (true)
        {
            Take((await _datagrams!.ReceiveAsync(_stop.Token)).Buffer);
        }
    }

    private async Task AcceptAsync()
    {
        while (!IsBroken)
        {
            using TcpClient client = await _listener!.AcceptTcpClientAsync(_stop.Token);
            Interlocked.Increment(ref _connections);
            try
            {
                await using Stream stream = await SecureAsync(client.GetStream());
                await ReadAsync(stream);
                if (IsBroken)
                {
                    // Not a farewell: a reset.
                    client.LingerState = new LingerOption(true, 0);
                    client.Client.Close();
                }
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
            {
                // The next one.
            }
        }

        _listener!.Stop();
    }

    private async Task<Stream> SecureAsync(NetworkStream stream)
    {
        if (_certificate is null)
        {
            return stream;
        }

        var secure = new SslStream(stream);
        await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
        return secure;
    }

    private async Task ReadAsync(Stream stream)
    {
        var received = new List<byte>();
        byte[] buffer = new byte[1000];
        int total = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer, _stop.Token)) > 0)
        {
            total += read;
            received.AddRange(buffer.AsSpan(0, read));
            while (received.IndexOf((byte)' ') is > 0 and var space
                && int.Parse(Encoding.ASCII.GetString([.. received[..space]]), System.Globalization.CultureInfo.InvariantCulture) is var length
                && received.Count >= space + 1 + length)
            {
                Take([.. received[(space + 1)..(space + 1 + length)]]);
                received.RemoveRange(0, space + 1 + length);
            }

            if (total >= _breakAfter)
            {
                IsBroken = true;
                return;
            }
        }
    }

    private void Take(byte[] message)
    {
        string text = Encoding.UTF8.GetString(message);
        lock (_gate)
        {
            _sequences.Add(long.Parse(Number().Match(text).Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    [GeneratedRegex("urn:psg:audit:([0-9]+)")]
    private static partial Regex Number();
}
