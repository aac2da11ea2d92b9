using System.Net;
using System.Net.Sockets;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>
/// Stands between gateway and PACS and can hold back what the gateway sends, in the middle of an object: the moment at which a
/// machine may die is then no matter of luck.
/// </summary>
public sealed class StallingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, FreePort.Next());
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> _connections = [];
    private readonly int _target;
    private readonly Task _accepting;
    private long _left;

    /// <param name="target">Port of the PACS.</param>
    /// <param name="stallAfter">Bytes from the gateway that pass before it stalls, all connections together.</param>
    public StallingProxy(int target, long stallAfter)
    {
        _target = target;
        _left = stallAfter;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Completes when the limit is reached.</summary>
    public Task Stalled => _stalled.Task;

    /// <summary>From now on everything passes.</summary>
    public void Release() => _released.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Release();
        await _end.CancelAsync();
        _listener.Stop();
        await Task.WhenAll([_accepting, .. _connections]).ContinueWith(static _ => { }, TaskScheduler.Default);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            TcpClient inside = await _listener.AcceptTcpClientAsync(_end.Token);
            _connections.Add(ConnectAsync(inside));
        }
    }

    private async Task ConnectAsync(TcpClient inside)
    {
        using (inside)
        using (var outside = new TcpClient { NoDelay = true })
        {
            inside.NoDelay = true;
            await outside.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
            // Either end that closes ends both directions, as a dead gateway's socket does.
            await Task.WhenAny(
                CopyAsync(inside.GetStream(), outside.GetStream(), counts: true),
                CopyAsync(outside.GetStream(), inside.GetStream(), counts: false));
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool counts)
    {
        byte[] buffer = new byte[16 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, _end.Token)) > 0)
        {
            if (counts && Interlocked.Add(ref _left, -read) < 0 && !_released.Task.IsCompleted)
            {
                _stalled.TrySetResult();
                await _released.Task.WaitAsync(_end.Token);
            }

            await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }
    }
}
