using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg2000;

/// <summary>
/// The memory that OpenJPEG reads from or writes to, and its first error message. Lives on the stack of the caller for as
/// long as the library may call back. No callback throws: exceptions must not cross native frames.
/// </summary>
internal unsafe struct OpenJpegBytes
{
    private const int MaxMessage = 200;

    private byte* _data;
    private long _capacity;
    private long _length;
    private long _position;
    private fixed byte _message[MaxMessage];
    private int _messageLength;

    /// <summary>A source: memory of the caller's.</summary>
    public OpenJpegBytes(byte* data, long length)
    {
        _data = data;
        _length = length;
    }

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<byte> Written => new(_data, (int)_length);

    /// <summary>What the library said first when something went wrong.</summary>
    public string Message
    {
        get
        {
            fixed (byte* message = _message)
            {
                return _messageLength == 0 ? "no reason given" : System.Text.Encoding.ASCII.GetString(message, _messageLength).Trim();
            }
        }
    }

    /// <summary>Connects a stream of the library to these bytes, which must stay where they are.</summary>
    public static void Connect(OpenJpegStream stream, OpenJpegBytes* bytes, bool isInput)
    {
        if (isInput)
        {
            OpenJpegLibrary.SetRead(stream, &Read);
        }
        else
        {
            OpenJpegLibrary.SetWrite(stream, &Write);
        }

        OpenJpegLibrary.SetSkip(stream, &Skip);
        OpenJpegLibrary.SetSeek(stream, &Seek);
        OpenJpegLibrary.SetUserData(stream, bytes, 0);
        OpenJpegLibrary.SetUserDataLength(stream, (ulong)bytes->_length);
    }

    public static void CollectErrors(OpenJpegCodecHandle codec, OpenJpegBytes* bytes) => OpenJpegLibrary.SetErrorHandler(codec, &Error, bytes);

    /// <summary>Frees what was written.</summary>
    public void FreeWritten()
    {
        NativeMemory.Free(_data);
        this = default;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint Read(byte* target, nuint count, OpenJpegBytes* bytes)
    {
        long left = bytes->_length - bytes->_position;
        if (left <= 0)
        {
            return nuint.MaxValue;
        }

        count = (nuint)Math.Min((ulong)left, count);
        NativeMemory.Copy(bytes->_data + bytes->_position, target, count);
        bytes->_position += (long)count;
        return count;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint Write(byte* source, nuint count, OpenJpegBytes* bytes)
    {
        if (!Grow(bytes, bytes->_position + (long)count))
        {
            return nuint.MaxValue;
        }

        NativeMemory.Copy(source, bytes->_data + bytes->_position, count);
        bytes->_position += (long)count;
        bytes->_length = Math.Max(bytes->_length, bytes->_position);
        return count;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static long Skip(long count, OpenJpegBytes* bytes)
    {
        long to = bytes->_position + count;
        if (to < 0 || to > bytes->_length)
        {
            return -1;
        }

        bytes->_position = to;
        return count;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Seek(long position, OpenJpegBytes* bytes)
    {
        if (position < 0 || position > bytes->_length)
        {
            return 0;
        }

        bytes->_position = position;
        return 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Error(byte* message, OpenJpegBytes* bytes)
    {
        if (bytes->_messageLength == 0)
        {
            while (bytes->_messageLength < MaxMessage && message[bytes->_messageLength] != 0)
            {
                bytes->_message[bytes->_messageLength] = message[bytes->_messageLength];
                bytes->_messageLength++;
            }
        }
    }

    /// <summary>Makes room for as many bytes as a codestream may have.</summary>
    private static bool Grow(OpenJpegBytes* bytes, long needed)
    {
        if (needed <= bytes->_capacity)
        {
            return true;
        }

        if (needed > Array.MaxLength)
        {
            return false;
        }

        long capacity = Math.Min(Array.MaxLength, Math.Max(needed, Math.Max(65536, bytes->_capacity * 2)));
        try
        {
            bytes->_data = (byte*)NativeMemory.Realloc(bytes->_data, (nuint)capacity);
        }
        catch (OutOfMemoryException)
        {
            return false;
        }

        bytes->_capacity = capacity;
        return true;
    }
}
