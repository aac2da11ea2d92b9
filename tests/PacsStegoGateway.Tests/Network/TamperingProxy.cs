using System.Net;
using System.Net.Sockets;

namespace PacsStegoGateway.Tests.Network;

/// <summary>Passes bytes between a client and a server, and, once told to, changes a bit or lets them drip on the way to the server.</summary>
public sealed class TamperingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _work;
    private volatile bool _tampers;
    private volatile bool _drips;

    public TamperingProxy(int serverPort)
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _work = ServeAsync(serverPort);
    }

    public int Port { get; }

    public void Tamper() => _tampers = true;

    /// <summary>From now on one byte at a time, a moment apart.</summary>
    public void Drip() => _drips = true;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _work.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private async Task ServeAsync(int serverPort)
    {
        try
        {
            using Socket client = await _listener.AcceptSocketAsync();
            using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await server.ConnectAsync(IPAddress.Loopback, serverPort);
            await Task.WhenAny(PumpAsync(client, server, toServer: true), PumpAsync(server, client, toServer: false));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool toServer)
    {
        byte[] buffer = new byte[65_536];
        while (true)
        {
            int count = await from.ReceiveAsync(buffer, SocketFlags.None);
            if (count == 0)
            {
                return;
            }

            if (toServer && _tampers)
            {
                buffer[count / 2] ^= 1;
            }

            for (int sent = 0, step = toServer && _drips ? 1 : count; sent < count; sent += step)
            {
                await to.SendAsync(buffer.AsMemory(sent, step), SocketFlags.None);
                if (step < count)
                {
                    await Task.Delay(20);
                }
            }
        }
    }
}
