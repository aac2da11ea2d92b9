using Microsoft.Win32.SafeHandles;

namespace PacsStegoGateway.Dicom;

/// <summary>The bytes of a file, read where they are asked for. The file may be removed, but not changed, while this is open.</summary>
public sealed class FileSource : ByteSource
{
    private readonly SafeFileHandle _handle;
    private readonly bool _ownsHandle;

    /// <param name="handle">Open for reading.</param>
    /// <param name="length">How much of the file, from its first byte, this shows.</param>
    /// <param name="ownsHandle">True: disposing closes it.</param>
    public FileSource(SafeFileHandle handle, long length, bool ownsHandle)
    {
        _handle = handle;
        _ownsHandle = ownsHandle;
        Length = length;
    }

    public override long Length { get; }

    /// <summary>Opens a file as long as it is now.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static FileSource Open(string path)
    {
        SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        return new FileSource(handle, RandomAccess.GetLength(handle), ownsHandle: true);
    }

    public override void Dispose()
    {
        if (_ownsHandle)
        {
            _handle.Dispose();
        }

        base.Dispose();
    }

    protected internal override void ReadInside(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(_handle, destination, offset);
            if (read == 0)
            {
                throw new EndOfStreamException("The file has become shorter.");
            }

            destination = destination[read..];
            offset += read;
        }
    }
}
