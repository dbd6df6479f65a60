#!/usr/bin/env bash
# Draws clip.flv, the lesson that `chalkcast demo` puts on air: 24 s of H.264 with B-frames (1280x720, 25 frames a
# second, a keyframe every 2 s) and AAC. 24 s are exactly 600 pictures and 1125 blocks of sound at 48 kHz, so the
# clip repeats without a seam. Run it by hand when the picture should change; the result is checked in.
# Needs ffmpeg, espeak-ng and the DejaVu fonts.
set -euo pipefail
cd "$(dirname "$0")"

readonly seconds=24
fonts=/usr/share/fonts/truetype/dejavu
serif=$fonts/DejaVuSerif.ttf
sans=$fonts/DejaVuSans.ttf
mono=$fonts/DejaVuSansMono.ttf
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { # say FILE SENTENCE
  espeak-ng -v en-us -s 135 -p 42 -a 90 -w "$work/$1.wav" "$2"
}
say a "A ball is thrown across the yard. Where does it land?"
say b "Sideways it keeps its speed. Downwards it falls faster and faster."
say c "Both together draw this curve on the board: a parabola."

# One ball flies every eight seconds; the dots it leaves behind are its path.
ball='' dots=''
for step in $(seq 1 15); do
  x="700+$step*32" y="520-($step*46)+($step*$step*2.9)"
  dots+=",drawtext=fontfile=$sans:text='•':fontsize=22:fontcolor=0xF4F1E8@0.55:x=$x:y=$y:enable='gte(mod(t\,8)\,$step*0.4)'"
done
ball=",drawtext=fontfile=$sans:text='●':fontsize=44:fontcolor=0xF2C14E:x='694+80*min(mod(t\,8)\,6.4)':y='505-115*min(mod(t\,8)\,6.4)+18.1*pow(min(mod(t\,8)\,6.4)\,2)'"

chalk() { # chalk FONT SIZE X Y FROM TEXT
  printf ",drawtext=fontfile=%s:fontsize=%s:fontcolor=0xF4F1E8:x=%s:y=%s:text='%s':enable='gte(t\,%s)'" "$1" "$2" "$3" "$4" "$6" "$5"
}
board="drawbox=x=0:y=0:w=iw:h=ih:color=0x8A6A45:t=18,drawbox=x=18:y=18:w=iw-36:h=ih-36:color=0x14352B:t=3"
board+=$(chalk "$serif" 52 80 70 0 'Physics 8b · How a ball flies')
board+=",drawbox=x=80:y=146:w=700:h=3:color=0xF4F1E8@0.7:t=fill"
board+=$(chalk "$serif" 38 80 210 1 'x = v t')
board+=$(chalk "$serif" 38 80 280 5 'y = h + u t − ½ g t²')
board+=$(chalk "$serif" 38 80 350 11 'sideways\: steady')
board+=$(chalk "$serif" 38 80 420 13 'downwards\: faster and faster')
board+=$(chalk "$serif" 38 80 490 18 'both together\: a parabola')
board+=",drawbox=x=690:y=560:w=540:h=3:color=0xF4F1E8@0.8:t=fill,drawbox=x=690:y=220:w=3:h=340:color=0xF4F1E8@0.8:t=fill"
board+=$dots$ball
board+=",drawtext=fontfile=$mono:fontsize=30:fontcolor=0xF4F1E8@0.8:x=960:y=645:text='%{pts\:hms}'"
board+=",drawtext=fontfile=$sans:fontsize=24:fontcolor=0xF4F1E8@0.6:x=80:y=645:text='chalkcast sample lesson'"

ffmpeg -y -hide_banner -loglevel error \
  -f lavfi -i "color=c=0x1F4D3F:s=1280x720:r=25:d=$seconds" \
  -i "$work/a.wav" -i "$work/b.wav" -i "$work/c.wav" \
  -f lavfi -i "sine=frequency=196:sample_rate=48000:d=$seconds" \
  -filter_complex "[0:v]${board},format=yuv420p[v];
    [1:a]aresample=48000,adelay=800:all=1[a];[2:a]aresample=48000,adelay=9000:all=1[b];[3:a]aresample=48000,adelay=16800:all=1[c];
    [4:a]volume=0.03,tremolo=f=0.25:d=0.8,afade=t=in:d=0.5,afade=t=out:st=$((seconds - 1)):d=1[hum];
    [a][b][c][hum]amix=inputs=4:normalize=0:duration=longest,apad,atrim=end=$seconds,aformat=channel_layouts=stereo[s]" \
  -map '[v]' -map '[s]' -t $seconds -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1 \
  -c:v libx264 -profile:v high -preset veryslow -tune animation -crf 24 -bf 2 -g 50 -keyint_min 50 -sc_threshold 0 -x264-params open-gop=0:stitchable=1 \
  -c:a aac -b:a 56k -ar 48000 -f flv -flvflags no_duration_filesize clip.flv

ls -l clip.flv
[ "$(stat -c %s clip.flv)" -le 1048576 ] || { echo "clip.flv is larger than 1 MB" >&2; exit 1; }
