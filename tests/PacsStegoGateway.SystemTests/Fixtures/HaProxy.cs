using System.Globalization;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>HAProxy before two gateways, with the configuration that is shipped: only addresses are others.</summary>
public sealed class HaProxy : IAsyncDisposable
{
    private static readonly string Program = File.Exists("/usr/sbin/haproxy") ? "/usr/sbin/haproxy" : "haproxy";

    private readonly TemporaryFolder _folder = new("haproxy");
    private ChildProcess? _process;

    public int Port { get; } = FreePort.Next();

    /// <param name="first">Port of the one gateway on 127.0.0.1.</param>
    /// <param name="second">Of the other.</param>
    public static async Task<HaProxy> Start(int first, int second)
    {
        if (!File.Exists(Program))
        {
            Assert.Skip("HAProxy is not installed.");
        }

        var proxy = new HaProxy();
        string shipped = await File.ReadAllTextAsync(Path.Combine(Tests.SharedData.RepositoryRoot, "config", "haproxy.cfg"));
        string configuration = proxy._folder.At("haproxy.cfg");
        await File.WriteAllTextAsync(configuration, shipped
            .Replace("bind :11112", string.Create(CultureInfo.InvariantCulture, $"bind 127.0.0.1:{proxy.Port}"), StringComparison.Ordinal)
            .Replace("gateway-1:11112", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{first}"), StringComparison.Ordinal)
            .Replace("gateway-2:11112", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{second}"), StringComparison.Ordinal));
        proxy._process = ChildProcess.Start(Program, ["-db", "-f", configuration]);
        await proxy._process.UntilListening(proxy.Port);
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }
}
