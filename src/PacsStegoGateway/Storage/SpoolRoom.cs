using PacsStegoGateway.Configuration;

namespace PacsStegoGateway.Storage;

/// <summary>
/// How much more may be taken in: watermark and quota, less what is spoken for. An object that was received and not protected
/// yet counts twice, because its protected copy is still to be written, and must find room when everything else is full.
/// </summary>
/// <remarks>Thread-safe. Full means full until there is a margin again: without one, every object sent away would let one other in.</remarks>
public sealed class SpoolRoom
{
    /// <summary>Parts of the watermark, and of the quota, that must be free beyond them before objects are taken in again.</summary>
    private const int WatermarkMargin = 8;
    private const int QuotaMargin = 16;

    private readonly long _minFreeBytes;
    private readonly long _quotaBytes;
    private readonly DriveInfo _drive;
    private long _used;
    private long _awaitingBytes;
    private volatile bool _isFull;

    internal SpoolRoom(SpoolOptions options, string folder, long used)
    {
        _minFreeBytes = options.MinFreeMegabytes << 20;
        _quotaBytes = options.QuotaMegabytes << 20;
        _drive = new DriveInfo(Path.GetFullPath(folder));
        _used = used;
    }

    /// <summary>Bytes that the files hold.</summary>
    public long UsedBytes => Interlocked.Read(ref _used);

    /// <summary>Bytes of objects received and not protected yet: so many more will be written.</summary>
    public long AwaitingBytes => Math.Max(0, Interlocked.Read(ref _awaitingBytes));

    /// <summary>True from the first refusal until there is room and a margin again.</summary>
    public bool IsFull => _isFull;

    /// <summary>True when so many bytes, and what is spoken for, leave watermark and quota untouched.</summary>
    public bool Has(long bytes) => Fits(bytes, withMargin: false);

    /// <summary>True when a new object may begin to arrive.</summary>
    public bool MayBegin()
    {
        bool may = Fits(2 * Spool.RoomStep, withMargin: _isFull);
        _isFull = !may;
        return may;
    }

    /// <summary>True when an object may go on arriving.</summary>
    /// <param name="soFar">Bytes of it that are written already; as many its protected copy will take.</param>
    public bool MayGoOn(long soFar)
    {
        bool may = Fits(soFar + (2 * Spool.RoomStep), withMargin: false);
        _isFull |= !may;
        return may;
    }

    /// <summary>An object of so many bytes was accepted, and waits to be protected.</summary>
    public void Await(long bytes) => Interlocked.Add(ref _awaitingBytes, bytes);

    /// <summary>One that waited was protected or set aside.</summary>
    public void Settle(long bytes) => Interlocked.Add(ref _awaitingBytes, -bytes);

    /// <summary>What the rows say, which are right: others release objects from quarantine, or leave theirs to us.</summary>
    public void SetAwaiting(long bytes) => Interlocked.Exchange(ref _awaitingBytes, bytes);

    internal void Add(long bytes) => Interlocked.Add(ref _used, bytes);

    internal void Correct(long before, long found) => Interlocked.CompareExchange(ref _used, found, before);

    private bool Fits(long bytes, bool withMargin)
    {
        long needed = bytes + AwaitingBytes;
        return (_quotaBytes == 0 || UsedBytes + needed <= _quotaBytes - (withMargin ? _quotaBytes / QuotaMargin : 0))
            && (_minFreeBytes == 0 || _drive.AvailableFreeSpace - needed >= _minFreeBytes + (withMargin ? _minFreeBytes / WatermarkMargin : 0));
    }
}
