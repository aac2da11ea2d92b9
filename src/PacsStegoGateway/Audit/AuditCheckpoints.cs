using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace PacsStegoGateway.Audit;

/// <summary>That the trail had come to this entry at this time.</summary>
public sealed record AuditCheckpoint(byte[] Trail, long Sequence, byte[] Mac, DateTimeOffset At, string Node);

/// <summary>
/// What was kept of the trail outside the database: one signed line now and then. Who cuts off the end of the trail, or all of it, with
/// an old copy of the head in hand, would have to change these too.
/// </summary>
public sealed partial class AuditCheckpoints
{
    /// <summary>A line is shorter; a longer one is none of ours.</summary>
    private const int LongestLine = 4096;

    private readonly Dictionary<long, AuditCheckpoint> _bySequence = [];

    /// <summary>No checkpoints.</summary>
    public static AuditCheckpoints None { get; } = new();

    /// <summary>Lines, counted from 1, that bear no genuine signature.</summary>
    public IReadOnlyList<int> Changed { get; private init; } = [];

    /// <summary>The one with the highest number.</summary>
    public AuditCheckpoint? Last { get; private set; }

    public int Count => _bySequence.Count;

    public AuditCheckpoint? At(long sequence) => _bySequence.GetValueOrDefault(sequence);

    /// <summary>Reads files of lines. A line that was never finished counts for nothing: a gateway was stopped while it wrote.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static AuditCheckpoints Read(AuditChain chain, IEnumerable<string> paths)
    {
        var changed = new List<int>();
        var all = new AuditCheckpoints { Changed = changed };
        foreach (string path in paths)
        {
            int number = 0;
            foreach (string line in File.ReadLines(path))
            {
                number++;
                if (Pattern().Match(line) is not { Success: true } match || line.Length > LongestLine)
                {
                    if (line.Contains(" signature=", StringComparison.Ordinal))
                    {
                        changed.Add(number);
                    }

                    continue;
                }

                long key = long.Parse(match.Groups["key"].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                if (!chain.Knows(key)
                    || !chain.Sign(key, match.Groups["signed"].Value).AsSpan().SequenceEqual(Convert.FromHexString(match.Groups["signature"].ValueSpan)))
                {
                    changed.Add(number);
                    continue;
                }

                all.Add(new AuditCheckpoint(
                    Convert.FromHexString(match.Groups["trail"].ValueSpan),
                    long.Parse(match.Groups["sequence"].ValueSpan, CultureInfo.InvariantCulture),
                    Convert.FromHexString(match.Groups["mac"].ValueSpan),
                    DateTimeOffset.Parse(match.Groups["at"].ValueSpan, CultureInfo.InvariantCulture),
                    Uri.UnescapeDataString(match.Groups["node"].Value)));
            }
        }

        return all;
    }

    /// <summary>The line of a checkpoint, without an end of line.</summary>
    public static string LineOf(AuditChain chain, AuditHead head, DateTimeOffset at, string node)
    {
        string signed = string.Create(CultureInfo.InvariantCulture,
            $"psg-audit-checkpoint 1 trail={Convert.ToHexStringLower(head.Trail)} sequence={head.Sequence} mac={Convert.ToHexStringLower(head.Mac)} at={at.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ} node={Uri.EscapeDataString(node)} key={chain.ActiveKeyId:x8}");
        return $"{signed} signature={Convert.ToHexStringLower(chain.Sign(chain.ActiveKeyId, signed))}";
    }

    /// <summary>Adds a line, flushed to the disk. Only ever appends: the file may be on a medium that takes nothing else.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Append(string path, string line)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        bool isInLine = EndsWithinLine(path);
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        file.Write(Encoding.ASCII.GetBytes((isInLine ? "\n" : "") + line + "\n"));
        file.Flush(flushToDisk: true);
    }

    /// <summary>A gateway that was killed while it wrote has left half a line.</summary>
    private static bool EndsWithinLine(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        if (file.Length == 0)
        {
            return false;
        }

        file.Seek(-1, SeekOrigin.End);
        return file.ReadByte() != '\n';
    }

    private void Add(AuditCheckpoint checkpoint)
    {
        _bySequence[checkpoint.Sequence] = checkpoint;
        if (Last is null || checkpoint.Sequence > Last.Sequence)
        {
            Last = checkpoint;
        }
    }

    [GeneratedRegex(
        "^(?<signed>psg-audit-checkpoint 1 trail=(?<trail>[0-9a-f]{32}) sequence=(?<sequence>[0-9]{1,18}) mac=(?<mac>[0-9a-f]{64}) at=(?<at>[0-9T:.Z-]{24}) node=(?<node>[^ ]*) key=(?<key>[0-9a-f]{8})) signature=(?<signature>[0-9a-f]{64})$",
        RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
