using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>
/// A modality that cannot be discouraged: DCMTK's <c>storescu</c>, started again and again with what was not answered with
/// success, until everything was. What it counts as acknowledged stands in its own log and nowhere else.
/// </summary>
public sealed partial class LoadSender : IAsyncDisposable
{
    /// <summary>Files of one association.</summary>
    private const int AtATime = 12;

    private readonly int _port;
    private readonly string _log;
    private readonly List<string> _waiting = [];
    private readonly ConcurrentDictionary<string, byte> _acknowledged = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _sending;
    private bool _isComplete;

    /// <param name="port">Where it sends to: AE title PSG on 127.0.0.1.</param>
    /// <param name="log">File that gets everything that <c>storescu</c> says.</param>
    public LoadSender(int port, string log)
    {
        _port = port;
        _log = log;
        _sending = Task.Run(SendAsync);
    }

    /// <summary>Files that were answered with 0000.</summary>
    public ICollection<string> Acknowledged => _acknowledged.Keys;

    /// <summary>Runs of <c>storescu</c> that did not get an answer for every file: aborted, refused, or nobody there.</summary>
    public int Interrupted { get; private set; }

    public void Add(IEnumerable<string> paths)
    {
        lock (_waiting)
        {
            _waiting.AddRange(paths);
        }
    }

    /// <summary>Nothing more will be added: ends when everything is acknowledged.</summary>
    public Task Complete()
    {
        lock (_waiting)
        {
            _isComplete = true;
        }

        return _sending;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _sending.ContinueWith(static _ => { }, TaskScheduler.Default);
        _end.Dispose();
    }

    private async Task SendAsync()
    {
        while (true)
        {
            List<string> some;
            lock (_waiting)
            {
                if (_isComplete && _waiting.Count == 0)
                {
                    return;
                }

                some = [.. _waiting.Take(AtATime)];
            }

            if (some.Count == 0)
            {
                await Task.Delay(50, _end.Token);
                continue;
            }

            Finished sent = await DcmtkTools.Store(_port, "MODALITY", "PSG", some, ["-ta", "30", "-td", "60"]);
            await File.AppendAllTextAsync(_log, sent.Output, _end.Token);
            List<string> answered = [.. Answered().Matches(sent.Output).Select(static m => m.Groups[1].Value.Trim())];
            foreach (string path in answered)
            {
                _acknowledged[path] = 0;
            }

            lock (_waiting)
            {
                _waiting.RemoveAll(answered.Contains);
            }

            if (answered.Count < some.Count)
            {
                Interrupted++;
                await Task.Delay(200, _end.Token);
            }
        }
    }

    /// <summary>A file, and success as the next thing that is said of it.</summary>
    [GeneratedRegex(@"Sending file: ([^\n]+)\n(?:(?!Sending file)[^\n]*\n)*?[^\n]*Received Store Response \(Success\)")]
    private static partial Regex Answered();
}
